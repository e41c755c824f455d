#include "service/query/recent_reader.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
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
  std::vector<std::shared_ptr<const Site>> sites = sites_.All();
  // The sites that are asked about come first.
  const int64_t lately = now - std::chrono::milliseconds(kRecentMax).count();
  const auto others = std::stable_partition(sites.begin(), sites.end(), [&](const auto& site) {
    const auto asked = asked_.find(site->name);
    return asked != asked_.end() && asked->second >= lately;
  });
  if (static_cast<size_t>(sites.end() - others) > kRecentSitesMax) {
    sites.erase(others + static_cast<ptrdiff_t>(kRecentSitesMax), sites.end());
  }
  // A failure would repeat itself for the next sites, after as long a wait.
  for (const auto& site : sites) {
    if (!co_await Take(site, at)) break;
  }
}

asio::awaitable<bool> RecentReader::Take(std::shared_ptr<const Site> site, int64_t at_unix_ms) {
  if (rows_ >= kRecentRowsMax) co_return false;
  const auto mark = std::make_shared<Mark>();
  mark->aliases = site->aliases;
  mark->generation = store_.generation();
  const PopularReader::Question question = HoursSince(at_unix_ms, at_unix_ms);
  const auto list = co_await popular_.Read(site, question, PopularReader::Afterwards::kDrop);
  // Counts that may be out of date are no mark.
  if (!list.ok()) co_return !IsTransient(list.status());
  if (!list->current) co_return false;
  // Views of the time in which the list is read are in it.
  mark->taken_at_unix_ms = clock_.UnixMillis();
  // A mark of another hour would be wrong.
  if (mark->taken_at_unix_ms / kMsOfHour != at_unix_ms / kMsOfHour) co_return false;
  mark->others_max = OthersMax(*list);
  for (const PopularArticle& article : list->articles) mark->views[article.article_id] = article.views;
  rows_ += mark->views.size();
  marks_[site->name][at_unix_ms] = mark;
  co_return true;
}

void RecentReader::DropOld(int64_t now_unix_ms) {
  const int64_t oldest = now_unix_ms - std::chrono::milliseconds(kRecentMax).count() - 2 * kStepMs;
  rows_ = 0;
  for (auto& [name, marks] : marks_) {
    marks.erase(marks.begin(), marks.lower_bound(oldest));
    for (const auto& [at, mark] : marks) rows_ += mark->views.size();
  }
}

asio::awaitable<RecentReader::Result> RecentReader::Read(std::shared_ptr<const Site> site, int64_t last_ms) {
  asked_[site->name] = clock_.UnixMillis();
  const std::pair<std::string, int64_t> key{site->name, last_ms};
  const std::function<asio::awaitable<Result>()> read = [&] { return ReadNow(site, last_ms); };
  co_return co_await reads_.Read(key, read);
}

std::shared_ptr<const RecentReader::Mark> RecentReader::MarkBefore(const Site& site, int64_t at_unix_ms,
                                                                   int64_t after_unix_ms) const {
  const auto of_site = marks_.find(site.name);
  if (of_site == marks_.end()) return nullptr;
  const Marks& marks = of_site->second;
  for (auto next = marks.upper_bound(at_unix_ms); next != marks.begin();) {
    const std::shared_ptr<const Mark>& mark = (--next)->second;
    if (mark->taken_at_unix_ms <= after_unix_ms) break;
    if (mark->taken_at_unix_ms > at_unix_ms) continue;
    return mark->aliases == site.aliases && mark->generation == store_.generation() ? mark : nullptr;
  }
  return nullptr;
}

asio::awaitable<RecentReader::Result> RecentReader::ReadNow(std::shared_ptr<const Site> site, int64_t last_ms) {
  const int64_t now = clock_.UnixMillis();
  const int64_t asked = now - last_ms;
  int64_t start = asked - asked % kMsOfHour;
  const std::shared_ptr<const Mark> mark = MarkBefore(*site, asked, start);
  if (mark != nullptr) start = mark->taken_at_unix_ms;
  const PopularReader::Question question = HoursSince(start, now);
  auto list = popular_.ReadCached(*site, question);
  if (!list) {
    auto read = co_await popular_.Read(site, question);
    if (!read.ok()) co_return read.status();
    list = *std::move(read);
  }
  const auto recent = std::make_shared<RecentList>();
  recent->others_max = OthersMax(*list);
  recent->exact = list->current;
  recent->as_of_unix_ms = list->as_of_unix_ms;
  recent->span = {start, now};
  for (const PopularArticle& article : list->articles) {
    uint64_t views_before = 0;
    if (mark != nullptr) {
      const auto at_mark = mark->views.find(article.article_id);
      const bool known = at_mark != mark->views.end();
      // Otherwise it may have had up to others_max views then. So its number is a lower bound, and all its views are an
      // upper one.
      views_before = known ? at_mark->second : mark->others_max;
      if (!known && mark->others_max > 0) recent->others_max = std::max(recent->others_max, article.views);
    }
    if (article.views > views_before) recent->articles.push_back({article.article_id, article.views - views_before});
  }
  std::sort(recent->articles.begin(), recent->articles.end(), ComesBefore);
  co_return recent;
}

}  // namespace viewcount
