// The window of a report, and the one before it. Pure functions; thread-safe.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

#include "client/cli/report.h"
#include "service/sites/day_zones.h"

namespace viewcount::cli {

// Returns the month `YYYY-MM` of the site, or the last one that is over at `now` if the text is empty.
// INVALID_ARGUMENT names --month if the text is no month, or if the month begins after `now`.
absl::StatusOr<ReportSpan> MonthSpan(const std::string& month, const DayZones& days, absl::Time now);

// Returns whether both edges are beginnings of days.
bool IsOfDays(const ReportSpan& span, const DayZones& days);

// Returns the window before: the month before a whole month, as many days before days, otherwise the same time before.
ReportSpan SpanBefore(const ReportSpan& span, const DayZones& days);

}  // namespace viewcount::cli
