#include "service/query/rising_reader.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "service/query/article_sums.h"
#include "service/query/list_question.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

v1::Window RangeOf(const TimeSpan& span) {
  v1::Window window;
  Fill(span, *window.mutable_range());
  return window;
}

// Returns x ln(x / expected), which tends to 0 as x does.
double Term(double x, double expected) { return x > 0 && expected > 0 ? x * std::log(x / expected) : 0; }

double SumOf(const std::vector<int64_t>& views, size_t begin, size_t end) {
  const auto first = views.begin();
  const int64_t sum =
      std::accumulate(first + static_cast<ptrdiff_t>(begin), first + static_cast<ptrdiff_t>(end), int64_t{0});
  return static_cast<double>(std::max<int64_t>(0, sum));
}

}  // namespace

double RisingScore(const Rise& rise) {
  if (rise.site_now <= 0 || rise.site_before <= 0) return 0;
  if (rise.now * rise.site_before <= rise.before * rise.site_now) return 0;
  const double share = (rise.now + rise.before) / (rise.site_now + rise.site_before);
  return std::max(0.0, 2 * (Term(rise.now, rise.site_now * share) + Term(rise.before, rise.site_before * share)));
}

asio::awaitable<RisingReader::Result> RisingReader::Read(std::shared_ptr<const Site> site, int64_t hours) {
  const std::pair<std::string, int64_t> key{site->name, hours};
  const std::function<asio::awaitable<Result>()> read = [&] { return ReadNow(site, hours); };
  co_return co_await reads_.Read(key, read);
}

asio::awaitable<RisingReader::Result> RisingReader::ReadNow(std::shared_ptr<const Site> site, int64_t hours) {
  auto list = std::make_shared<RisingList>();
  list->as_of_unix_ms = clock_.UnixMillis();
  const int64_t end = (list->as_of_unix_ms / kMsOfHour + 1) * kMsOfHour;
  list->span = {end - hours * kMsOfHour, end};
  const int64_t usual_ms = std::chrono::milliseconds(kUsualHours).count();
  list->usual = {list->span.start_unix_ms - usual_ms, list->span.start_unix_ms};
  auto present = WindowsOf(RangeOf(list->span), *site, list->as_of_unix_ms);
  if (!present.ok()) co_return present.status();
  auto usual = WindowsOf(RangeOf(list->usual), *site, list->as_of_unix_ms);
  if (!usual.ok()) co_return usual.status();

  std::vector<Window> all = present->windows;
  all.insert(all.end(), usual->windows.begin(), usual->windows.end());
  const auto totals = co_await totals_.Read(site, std::move(all));
  if (!totals.ok()) co_return totals.status();
  const size_t present_windows = present->windows.size();
  Rise rise{.site_now = SumOf(totals->views, 0, present_windows),
            .site_before = SumOf(totals->views, present_windows, totals->views.size())};

  PopularReader::Question question{.windows = std::move(present->windows), .places = kRisingCandidatesMax};
  const auto popular = co_await popular_.Read(site, question);
  if (!popular.ok()) co_return popular.status();
  list->exact = popular->current;
  uint64_t others = popular->exact ? 0 : popular->error_bound;
  std::vector<std::string> ids;
  for (const PopularArticle& article : popular->articles) {
    if (article.views >= kRisingViewsMin) ids.push_back(article.article_id);
  }
  if (popular->articles.size() >= kRisingCandidatesMax) others = std::max(others, popular->articles.back().views);
  if (others >= kRisingViewsMin) {
    const Rise most{.now = static_cast<double>(others), .site_now = rise.site_now, .site_before = rise.site_before};
    list->others_max = RisingScore(most);
    if (list->others_max < kRisingScoreMin) list->others_max = 0;
  }
  if (ids.empty() || rise.site_before <= 0) co_return list;
  const auto before = co_await ReadArticleSums(counts_, site, std::move(usual->windows), ids);
  if (!before.ok()) co_return before.status();
  for (size_t i = 0; i < ids.size(); ++i) {
    rise.now = static_cast<double>(popular->articles[i].views);
    rise.before = static_cast<double>(std::max<int64_t>(0, (*before)[i]));
    const double score = RisingScore(rise);
    if (score < kRisingScoreMin) continue;
    list->articles.push_back({.article_id = ids[i],
                              .views = popular->articles[i].views,
                              .usual_views = rise.before * rise.site_now / rise.site_before,
                              .score = score});
  }
  // The oldest hour may have expired meanwhile.
  if (FirstKeptHour(site->settings, clock_.UnixMillis()) > list->usual.start_unix_ms) list->exact = false;
  std::sort(list->articles.begin(), list->articles.end(), [](const RisingArticle& one, const RisingArticle& other) {
    return one.score != other.score ? one.score > other.score : one.article_id < other.article_id;
  });
  co_return list;
}

}  // namespace viewcount
