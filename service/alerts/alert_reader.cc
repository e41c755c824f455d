#include "service/alerts/alert_reader.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "service/alerts/alert_limits.h"
#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/query/list_question.h"
#include "service/query/window.h"
#include "service/sites/retention.h"

namespace viewcount {
namespace asio = boost::asio;
using google::protobuf::util::TimeUtil;

namespace {

std::vector<Window> HoursFrom(int64_t first, size_t count) {
  std::vector<Window> hours;
  for (size_t i = 0; i < count; ++i) {
    hours.push_back({Window::Kind::kHour, static_cast<uint32_t>(first + static_cast<int64_t>(i))});
  }
  return hours;
}

std::vector<Window> DaysBetween(Window::Kind kind, absl::CivilDay begin, absl::CivilDay end) {
  std::vector<Window> days;
  for (absl::CivilDay day = begin; day < end; ++day) days.push_back({kind, DayNumber(day)});
  return days;
}

// A count is below 0 only where another instance has not flushed the views that compensate for it.
uint64_t SumOf(const std::vector<int64_t>& views, size_t begin, size_t end) {
  const int64_t sum = std::accumulate(views.begin() + static_cast<ptrdiff_t>(begin),
                                      views.begin() + static_cast<ptrdiff_t>(end), int64_t{0});
  return static_cast<uint64_t>(std::max<int64_t>(0, sum));
}

absl::Status NotRead(const absl::Status& status) {
  return RetryLater(absl::StatusCode::kUnavailable, ToStd(status.message()), limits::kRetryDelay);
}

}  // namespace

asio::awaitable<absl::StatusOr<std::vector<int64_t>>> AlertReader::ReadWindows(std::shared_ptr<const Site> site,
                                                                               const v1::Alert& alert,
                                                                               std::vector<Window> windows) {
  if (!alert.has_article_id()) {
    auto totals = co_await parts_.totals.Read(std::move(site), std::move(windows));
    if (!totals.ok()) co_return totals.status();
    co_return std::move(totals->views);
  }
  const std::string id(site->Resolve(alert.article_id()));
  const uint64_t hash = ArticleHash(site->seed, id);
  const std::vector<ArticleRef> articles = {{id, hash}};
  const auto read = co_await parts_.counts.ReadWindows(*site, ShardOf(hash), windows, articles);
  if (!read.ok()) co_return NotRead(read.status());
  std::vector<int64_t> views;
  for (const auto& window : *read) views.push_back(window.front());
  co_return views;
}

asio::awaitable<absl::StatusOr<KnownViews>> AlertReader::ReadSum(std::shared_ptr<const Site> site,
                                                                 const v1::Alert& alert, std::vector<Window> windows) {
  if (alert.has_section()) {
    std::string section = alert.section();
    co_return co_await ReadSection(std::move(site), std::move(section), std::move(windows));
  }
  const auto views = co_await ReadWindows(std::move(site), alert, std::move(windows));
  if (!views.ok()) co_return views.status();
  co_return KnownViews{.least = SumOf(*views, 0, views->size())};
}

asio::awaitable<absl::StatusOr<KnownViews>> AlertReader::ReadSection(std::shared_ptr<const Site> site,
                                                                     std::string section, std::vector<Window> windows) {
  const PopularReader::Question question{.windows = std::move(windows), .places = limits::kDeepListMax};
  const auto list = co_await parts_.popular.Read(site, question, PopularReader::Afterwards::kDrop);
  if (!list.ok()) co_return list.status();
  std::vector<std::string_view> ids = IdsOf(*list);
  const auto details = co_await parts_.catalog.ReadDetails(site, std::move(ids));
  if (!details.complete) co_return NoDetails();
  if (!list->current) {
    co_return RetryLater(absl::StatusCode::kUnavailable, "the list of the hours may be out of date",
                         limits::kRetryDelay);
  }
  const ListFilter filter{.section = std::move(section)};
  KnownViews views{.exact = list->exact && list->articles.size() < question.places};
  for (size_t i = 0; i < list->articles.size(); ++i) {
    if (filter.Shows(details.articles[i].get())) views.least += list->articles[i].views;
  }
  co_return views;
}

asio::awaitable<absl::StatusOr<AlertReader::TwoSums>> AlertReader::ReadTwoSums(std::shared_ptr<const Site> site,
                                                                               const v1::Alert& alert, int64_t first,
                                                                               uint32_t hours) {
  if (alert.has_section()) {
    auto ended_hours = HoursFrom(first, hours), running_hours = HoursFrom(first + 1, hours);
    const auto ended = co_await ReadSum(site, alert, std::move(ended_hours));
    if (!ended.ok()) co_return ended.status();
    const auto running = co_await ReadSum(site, alert, std::move(running_hours));
    if (!running.ok()) co_return running.status();
    co_return TwoSums{.running = *running, .ended = *ended};
  }
  auto windows = HoursFrom(first, hours + 1);
  const auto views = co_await ReadWindows(std::move(site), alert, std::move(windows));
  if (!views.ok()) co_return views.status();
  co_return TwoSums{.running = {.least = SumOf(*views, 1, hours + 1)}, .ended = {.least = SumOf(*views, 0, hours)}};
}

asio::awaitable<absl::StatusOr<AlertReader::Usual>> AlertReader::ReadUsual(std::shared_ptr<const Site> site,
                                                                           const v1::Alert& alert, int64_t first,
                                                                           uint32_t hours, int64_t now_unix_ms) {
  const int64_t hour = now_unix_ms / kMsOfHour;
  if (std::exchange(usual_hour_, hour) != hour) usual_.clear();
  const std::string key = fmt::format("{}/{}/{}/{}", site->name, hours, static_cast<int>(alert.subject_case()),
                                      alert.has_section() ? alert.section() : alert.article_id());
  if (const auto known = usual_.find(key); known != usual_.end()) co_return known->second;
  const int64_t first_kept = FirstKeptHour(site->settings, now_unix_ms) / kMsOfHour;
  Usual sums;
  double running = 0, ended = 0;
  bool exact = true;
  // The sums up to the last day that had a view, and the number of days up to it.
  double counted_running = 0, counted_ended = 0;
  uint32_t counted_days = 0;
  for (uint32_t day = 1; day <= kUsualDays; ++day) {
    const int64_t before = SameHourBefore(first, static_cast<int>(day), site->zone);
    if (before < first_kept) break;
    const auto read = co_await ReadTwoSums(site, alert, before, hours);
    if (!read.ok()) co_return read.status();
    exact = exact && read->running.exact && read->ended.exact;
    running += static_cast<double>(read->running.least);
    ended += static_cast<double>(read->ended.least);
    if (read->running.least + read->ended.least == 0) continue;
    counted_running = running;
    counted_ended = ended;
    counted_days = day;
  }
  if (exact) {
    sums.days = counted_days;
    sums.running = counted_days == 0 ? 0 : counted_running / counted_days;
    sums.ended = counted_days == 0 ? 0 : counted_ended / counted_days;
  }
  if (usual_.size() < kAlertsMax && usual_hour_ == hour) usual_[key] = sums;
  co_return sums;
}

asio::awaitable<absl::StatusOr<AlertReading>> AlertReader::Read(std::shared_ptr<const Site> site,
                                                                const v1::Alert& alert, bool with_usual,
                                                                int64_t now_unix_ms) {
  const uint32_t hours = WatchedHoursOf(alert);
  const int64_t first = now_unix_ms / kMsOfHour - hours;
  const auto sums = co_await ReadTwoSums(site, alert, first, hours);
  if (!sums.ok()) co_return sums.status();
  AlertReading reading{.running = {.views = sums->running}, .ended = {.views = sums->ended}};
  if (!with_usual) co_return reading;
  const auto usual = co_await ReadUsual(site, alert, first, hours, now_unix_ms);
  if (!usual.ok()) co_return usual.status();
  reading.running.usual = usual->running;
  reading.ended.usual = usual->ended;
  reading.running.usual_days = reading.ended.usual_days = usual->days;
  co_return reading;
}

asio::awaitable<absl::StatusOr<DigestReading>> AlertReader::ReadDigest(std::shared_ptr<const Site> site,
                                                                       const v1::Alert& alert, DigestSpan span) {
  DigestReading reading;
  auto days = DaysBetween(Window::Kind::kDay, span.begin, span.end);
  auto days_before = DaysBetween(Window::Kind::kDay, span.before, span.begin);
  const auto views = co_await ReadSum(site, alert, std::move(days));
  if (!views.ok()) co_return views.status();
  const auto views_before = co_await ReadSum(site, alert, std::move(days_before));
  if (!views_before.ok()) co_return views_before.status();
  reading.views = *views;
  reading.views_before = *views_before;
  if (alert.subject_case() == v1::Alert::SUBJECT_NOT_SET) {
    auto visit_days = DaysBetween(Window::Kind::kVisitDay, span.before, span.end);
    const auto visits = co_await parts_.totals.Read(site, std::move(visit_days));
    if (!visits.ok()) co_return visits.status();
    const auto length = static_cast<size_t>(span.begin - span.before);
    reading.visits_before = SumOf(visits->views, 0, length);
    reading.visits = SumOf(visits->views, length, visits->views.size());
  }
  if (alert.has_article_id()) co_return reading;
  const absl::Status listed = co_await ReadList(site, alert, span, reading.articles);
  if (!listed.ok()) co_return listed;
  co_return reading;
}

asio::awaitable<absl::Status> AlertReader::ReadList(std::shared_ptr<const Site> site, const v1::Alert& alert,
                                                    DigestSpan span, v1::ListPopularResponse& articles) {
  v1::ListPopularRequest request;
  request.set_site(site->name);
  request.set_section(alert.section());
  request.set_page_size(kDigestArticles);
  auto& range = *request.mutable_window()->mutable_range();
  *range.mutable_start() = TimeUtil::MillisecondsToTimestamp(StartOf(span.begin, *site));
  *range.mutable_end() = TimeUtil::MillisecondsToTimestamp(StartOf(span.end, *site));
  co_return co_await parts_.lists.ListPopular(request, articles);
}

}  // namespace viewcount
