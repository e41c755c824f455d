#include "service/query/recent_reader.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "service/base/limits.h"
#include "service/query/list_limits.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr int64_t kStepMs = std::chrono::milliseconds(kRecentStep).count();
static_assert(kMsOfHour % kStepMs == 0);

PopularReader::Question HoursSince(int64_t start_unix_ms, int64_t now_unix_ms) {
  std::vector<Window> windows;
  for (int64_t hour = start_unix_ms / kMsOfHour; hour <= now_unix_ms / kMsOfHour; ++hour) {
    windows.push_back({Window::Kind::kHour, static_cast<uint32_t>(hour)});
  }
  return {.windows = std::move(windows), .places = limits::kDeepListMax};
}

// Returns a bound for the views of articles that are not on the list.
uint64_t OthersMax(const PopularList& list) {
  const bool full = list.articles.size() >= limits::kDeepListMax;
  return std::max(list.exact ? 0 : list.error_bound, full ? list.articles.back().views : 0);
}

}  // namespace

asio::awaitable<void> RecentReader::Refresh() {
  const int64_t now = clock_.UnixMillis();
  const int64_t step = now / kStepMs;
  const int64_t last = std::exchange(last_step_, step);
  // The step in which this process started began before it.
  if (last == 0 || step <= last) co_return;
  DropOld(now);
  const int64_t at = step * kStepMs;
  if (at % kMsOfHour == 0) co_return;
  const auto sites = sites_.All();
  size_t others = kRecentSitesMax;
  for (const auto& site : sites) {
    const auto asked = asked_.find(site->name);
    const bool is_asked = asked != asked_.end() && asked->second >= now - std::chrono::milliseconds(kRecentMax).count();
    if (!is_asked) {
      if (others == 0) continue;
      --others;
    }
    // A failure would repeat itself for the next sites, after as long a wait.
    if (!co_await Take(site, at)) break;
  }
}

asio::awaitable<bool> RecentReader::Take(std::shared_ptr<const Site> site, int64_t at_unix_ms) {
  if (rows_ >= kRecentRowsMax) co_return false;
  const int64_t taken_at = clock_.UnixMillis();
  // A mark of another hour would be wrong.
  if (taken_at / kMsOfHour != at_unix_ms / kMsOfHour) co_return false;
  const PopularReader::Question question = HoursSince(at_unix_ms, at_unix_ms);
  const auto list = co_await popular_.Read(site, question);
  // Counts that may be out of date are no mark.
  if (!list.ok() || !list->current) co_return false;
  Mark mark{.taken_at_unix_ms = taken_at, .views = {}, .others_max = OthersMax(*list)};
  for (const PopularArticle& article : list->articles) mark.views[article.article_id] = article.views;
  rows_ += mark.views.size();
  marks_[site->name][at_unix_ms] = std::move(mark);
  co_return true;
}

void RecentReader::DropOld(int64_t now_unix_ms) {
  const int64_t oldest = now_unix_ms - std::chrono::milliseconds(kRecentMax).count() - 2 * kStepMs;
  rows_ = 0;
  for (auto& [name, marks] : marks_) {
    marks.erase(marks.begin(), marks.lower_bound(oldest));
    for (const auto& [at, mark] : marks) rows_ += mark.views.size();
  }
}

asio::awaitable<absl::StatusOr<RecentList>> RecentReader::Read(std::shared_ptr<const Site> site, int64_t last_ms) {
  const int64_t now = clock_.UnixMillis();
  asked_[site->name] = now;
  const int64_t asked = now - last_ms;
  int64_t start = asked - asked % kMsOfHour;
  // A copy, because marks may be dropped while the list is read.
  std::optional<Mark> mark;
  const Marks& marks = marks_[site->name];
  if (auto after = marks.upper_bound(asked); after != marks.begin()) {
    const auto& [at, latest] = *std::prev(after);
    if (at > start) mark = latest;
  }
  if (mark) start = mark->taken_at_unix_ms;
  const PopularReader::Question question = HoursSince(start, now);
  const auto list = co_await popular_.Read(site, question);
  if (!list.ok()) co_return list.status();
  boost::unordered_flat_map<std::string_view, uint64_t> before;
  if (mark) {
    // The views of an article that was merged since are counted for the other one now.
    for (const auto& [id, views] : mark->views) before[site->Resolve(id)] += views;
  }
  RecentList recent{.articles = {},
                    .others_max = OthersMax(*list),
                    .exact = list->current,
                    .as_of_unix_ms = list->as_of_unix_ms,
                    .span = {start, now}};
  for (const PopularArticle& article : list->articles) {
    const auto at_mark = before.find(article.article_id);
    uint64_t views_before = at_mark == before.end() ? 0 : at_mark->second;
    if (mark && at_mark == before.end() && mark->others_max > 0) {
      // It may have had up to others_max views then. So its number is a lower bound, and all its views are an upper
      // one.
      views_before = mark->others_max;
      recent.others_max = std::max(recent.others_max, article.views);
    }
    if (article.views > views_before) recent.articles.push_back({article.article_id, article.views - views_before});
  }
  std::sort(recent.articles.begin(), recent.articles.end(), ComesBefore);
  co_return recent;
}

}  // namespace viewcount
