#include "client/cli/report_window.h"

#include <fmt/format.h>

#include <charconv>

#include "client/cli/site_days.h"

namespace viewcount::cli {
namespace {

ReportSpan SpanOfMonth(absl::CivilMonth month, const DayZones& days) {
  return {StartOf(absl::CivilDay(month), days), StartOf(absl::CivilDay(month + 1), days)};
}

}  // namespace

absl::StatusOr<ReportSpan> MonthSpan(const std::string& month, const DayZones& days, absl::Time now) {
  const absl::CivilMonth present(DayOf(now, days));
  if (month.empty()) return SpanOfMonth(present - 1, days);
  int year = 0;
  int number = 0;
  const char* const text = month.data();
  const bool parsed = month.size() == 7 && month[4] == '-' && std::from_chars(text, text + 4, year).ptr == text + 4 &&
                      std::from_chars(text + 5, text + 7, number).ptr == text + 7;
  if (!parsed || number < 1 || number > 12) {
    return absl::InvalidArgumentError("--month must be a month as YYYY-MM, such as 2026-10");
  }
  const absl::CivilMonth asked(year, number);
  if (asked > present) {
    return absl::InvalidArgumentError(
        fmt::format("--month {} has not begun; the last whole month is {}", month, absl::FormatCivilTime(present - 1)));
  }
  return SpanOfMonth(asked, days);
}

bool IsOfDays(const ReportSpan& span, const DayZones& days) {
  const auto begins_day = [&days](absl::Time time) { return StartOf(DayOf(time, days), days) == time; };
  return begins_day(span.start) && begins_day(span.end);
}

ReportSpan SpanBefore(const ReportSpan& span, const DayZones& days) {
  if (!IsOfDays(span, days)) return {span.start - (span.end - span.start), span.start};
  const absl::CivilDay first = DayOf(span.start, days);
  const absl::CivilDay end = DayOf(span.end, days);
  const absl::CivilMonth month(first);
  const bool is_month = first == absl::CivilDay(month) && end == absl::CivilDay(month + 1);
  if (is_month) return SpanOfMonth(month - 1, days);
  return {StartOf(first - (end - first), days), span.start};
}

}  // namespace viewcount::cli
