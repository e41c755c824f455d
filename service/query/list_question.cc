#include "service/query/list_question.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/hash.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/query/list_limits.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;

// A page token names its list and the first rank of the next page.
std::string ListNameOf(const v1::ListPopularRequest& request, std::string_view kind, const std::vector<Window>& windows,
                       const ListFilter& filter) {
  std::string text = request.site();
  if (!kind.empty()) text += fmt::format(":{}", kind);
  // The list of the last hours stays the same one when an hour ends.
  if (request.window().has_last()) {
    text += fmt::format(":last:{}", request.window().last().seconds());
  } else {
    for (const Window window : windows) text += fmt::format(":{}:{}", static_cast<int>(window.kind), window.number);
  }
  for (const std::string* label : {&filter.section, &filter.author, &filter.tag, &filter.language}) {
    text += fmt::format(":{}:{}", label->size(), *label);
  }
  return fmt::format("{:016x}", Hash64(text + fmt::format(":{}", request.published_within().seconds())));
}

// Returns the window before another one, which is as long.
v1::Window WindowBefore(const v1::Window& window, const TimeSpan& span, const Site& site) {
  v1::Window before;
  if (window.has_day()) {
    before.set_day(absl::FormatCivilTime(DayAt(span.start_unix_ms, site) - 1));
    return before;
  }
  int64_t start = span.start_unix_ms - (span.end_unix_ms - span.start_unix_ms);
  const absl::CivilDay first = DayAt(span.start_unix_ms, site), end = DayAt(span.end_unix_ms, site);
  // Days are not equally long where clocks change.
  const bool days = StartOf(first, site) == span.start_unix_ms && StartOf(end, site) == span.end_unix_ms;
  if (days) start = StartOf(first - (end - first), site);
  *before.mutable_range()->mutable_start() = TimeUtil::MillisecondsToTimestamp(std::max<int64_t>(0, start));
  *before.mutable_range()->mutable_end() = TimeUtil::MillisecondsToTimestamp(span.start_unix_ms);
  return before;
}

std::optional<size_t> OffsetOf(std::string_view token, std::string_view list) {
  if (token.empty()) return 0;
  if (token.size() <= list.size() || !token.starts_with(list) || token[list.size()] != '-') return std::nullopt;
  token.remove_prefix(list.size() + 1);
  size_t offset = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), offset);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return offset;
}

absl::StatusOr<ListFilter> FilterOf(const v1::ListPopularRequest& request, int64_t now) {
  ListFilter filter{
      .section = request.section(), .author = request.author(), .tag = request.tag(), .language = request.language()};
  const std::pair<const char*, const std::string*> labels[] = {
      {"section", &filter.section}, {"author", &filter.author}, {"tag", &filter.tag}, {"language", &filter.language}};
  for (const auto& [field, label] : labels) {
    if (auto status = CheckLabel(field, *label); !status.ok()) return status;
  }
  if (request.has_published_within()) {
    const auto& within = request.published_within();
    if (within.seconds() < 0 || within.nanos() < 0 || within.seconds() > now / 1'000) {
      return InvalidField("published_within", "must be 0 to 50 years");
    }
    filter.published_since = now - TimeUtil::DurationToMilliseconds(within);
  }
  return filter;
}

}  // namespace

absl::Status CheckLabel(const char* field, const std::string& label) {
  if (label.size() <= limits::kArticleLabelBytesMax) return absl::OkStatus();
  return InvalidField(field, fmt::format("must be at most {} bytes", limits::kArticleLabelBytesMax));
}

absl::Status NoDetails() {
  return RetryLater(absl::StatusCode::kUnavailable, "what was announced about the articles cannot be read",
                    limits::kRetryDelay);
}

void Fill(const TimeSpan& span, v1::Window::Range& range) {
  *range.mutable_start() = TimeUtil::MillisecondsToTimestamp(span.start_unix_ms);
  *range.mutable_end() = TimeUtil::MillisecondsToTimestamp(span.end_unix_ms);
}

std::string ListQuestion::TokenAt(size_t place) const { return fmt::format("{}-{}", list_name, place); }

absl::Status ListQuestion::SetPage(const v1::ListPopularRequest& request, std::string_view kind, uint32_t page_size_max,
                                   int64_t now_unix_ms) {
  auto restriction = FilterOf(request, now_unix_ms);
  if (!restriction.ok()) return restriction.status();
  filter = *std::move(restriction);
  if (request.page_size() > page_size_max) {
    return InvalidField("page_size",
                        fmt::format("must be 1 to {}, or 0 for {}", page_size_max, limits::kPageSizeDefault));
  }
  list_name = ListNameOf(request, kind, list.windows.windows, filter);
  const auto offset = OffsetOf(request.page_token(), list_name);
  if (!offset || *offset > limits::kDeepListMax) {
    return InvalidField("page_token", "is not one of this site, window and restriction");
  }
  begin = *offset;
  end = *offset + (request.page_size() > 0 ? request.page_size() : limits::kPageSizeDefault);
  // A longer list is read if this one has too few articles for the page.
  if (!filter.empty()) list.places = kRestrictedPlaces;
  if (end > limits::kRankedAllTimeAndDay) list.places = limits::kDeepListMax;
  return absl::OkStatus();
}

absl::StatusOr<ListQuestion> PopularQuestionOf(const v1::ListPopularRequest& request, const SiteDirectory& sites,
                                               int64_t now_unix_ms) {
  ListQuestion question{.site = sites.Find(request.site())};
  if (question.site == nullptr) return sites.Unknown(request.site());
  const Site& site = *question.site;
  auto asked = WindowsOf(request.window(), site, now_unix_ms);
  if (!asked.ok()) return asked.status();
  question.list.windows = std::move(asked->windows);
  question.span = asked->span;
  auto page = question.SetPage(request, "", limits::kPageSizeMax, now_unix_ms);
  if (!page.ok()) return page;
  question.exact_required = request.exact_required();
  if (request.with_previous_rank() && question.span.end_unix_ms > 0) {
    auto before = WindowsOf(WindowBefore(request.window(), question.span, site), site, now_unix_ms);
    if (before.ok()) question.before = {.windows = std::move(before->windows), .places = question.list.places};
  }
  return question;
}

}  // namespace viewcount
