#include "client/cli/report_window.h"

#include <fmt/format.h>

#include <charconv>

namespace viewcount::cli {
namespace {

absl::Time StartOfMonth(absl::CivilMonth month, const absl::TimeZone& zone) {
  return absl::FromCivil(absl::CivilDay(month), zone);
}

ReportSpan SpanOfMonth(absl::CivilMonth month, const absl::TimeZone& zone) {
  return {StartOfMonth(month, zone), StartOfMonth(month + 1, zone)};
}

}  // namespace

absl::StatusOr<ReportSpan> MonthSpan(const std::string& month, const absl::TimeZone& zone, absl::Time now) {
  const absl::CivilMonth present(absl::ToCivilSecond(now, zone));
  if (month.empty()) return SpanOfMonth(present - 1, zone);
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
  return SpanOfMonth(asked, zone);
}

bool IsOfDays(const ReportSpan& span, const absl::TimeZone& zone) {
  const auto is_midnight = [&zone](absl::Time time) {
    return absl::FromCivil(absl::CivilDay(absl::ToCivilSecond(time, zone)), zone) == time;
  };
  return is_midnight(span.start) && is_midnight(span.end);
}

ReportSpan SpanBefore(const ReportSpan& span, const absl::TimeZone& zone) {
  if (!IsOfDays(span, zone)) return {span.start - (span.end - span.start), span.start};
  const absl::CivilDay first(absl::ToCivilSecond(span.start, zone));
  const absl::CivilDay end(absl::ToCivilSecond(span.end, zone));
  const absl::CivilMonth month(first);
  const bool is_month = first == absl::CivilDay(month) && end == absl::CivilDay(month + 1);
  if (is_month) return SpanOfMonth(month - 1, zone);
  return {absl::FromCivil(first - (end - first), zone), span.start};
}

}  // namespace viewcount::cli
