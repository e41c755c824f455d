// Decides whether the condition of an alert holds. Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "viewcount/v1/alerts.pb.h"

namespace viewcount {

// A number of views that may be known in part only.
struct KnownViews {
  // There are at least so many.
  uint64_t least = 0;
  // False if there may be more.
  bool exact = true;
};

// The views of some hours, and what is usual in these hours.
struct HoursViews {
  KnownViews views;
  // The mean of the same hours of the days before. Nothing if it was not read, or is not known exactly.
  std::optional<double> usual;
  // The number of days in `usual`.
  uint32_t usual_days = 0;
};

// The views that an alert watches.
struct AlertReading {
  // The last hours including the running one.
  HoursViews running;
  // The last hours that have ended.
  HoursViews ended;
};

enum class Verdict : uint8_t {
  kHolds,
  kDoesNotHold,
  // So few views are usual that they are no measure. The alert stays as it is.
  kTooFewUsual,
  // The views are not known exactly enough. The alert stays as it is.
  kUnknown
};

// The condition holds if there are more views than a limit in one of the two spans, or fewer than a limit in both. So
// the begin of a running hour neither hides a rise nor looks like a drop. `alert` must have a condition.
Verdict Judge(const v1::Alert& alert, const AlertReading& reading);

// Returns the span with more views, or with more views in comparison with the usual ones. Messages state its numbers.
const HoursViews& DecisiveHours(const v1::Alert& alert, const AlertReading& reading);

// Returns the number of usual views that a comparison needs.
uint64_t MinimumUsualOf(const v1::Alert& alert);
// Returns whether the condition compares with the usual views.
bool ComparesWithUsual(const v1::Alert& alert);

}  // namespace viewcount
