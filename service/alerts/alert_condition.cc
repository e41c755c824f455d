#include "service/alerts/alert_condition.h"

#include "service/alerts/alert_limits.h"
#include "service/base/check.h"

namespace viewcount {
namespace {

using Condition = v1::Alert::ConditionCase;

// Compares with a limit, as far as the views are known.
Verdict IsAbove(const KnownViews& views, double limit) {
  if (static_cast<double>(views.least) > limit) return Verdict::kHolds;
  return views.exact ? Verdict::kDoesNotHold : Verdict::kUnknown;
}

Verdict IsBelow(const KnownViews& views, double limit) {
  if (static_cast<double>(views.least) >= limit) return Verdict::kDoesNotHold;
  return views.exact ? Verdict::kHolds : Verdict::kUnknown;
}

Verdict IsAboveUsual(const HoursViews& hours, double factor, uint64_t minimum) {
  if (!hours.usual) return Verdict::kUnknown;
  const auto least = static_cast<double>(minimum);
  if (*hours.usual >= least) return IsAbove(hours.views, factor * *hours.usual);
  // There is no alarm, but an alarm ends only when there are few views again.
  const Verdict verdict = IsAbove(hours.views, factor * least);
  return verdict == Verdict::kHolds ? Verdict::kTooFewUsual : verdict;
}

Verdict IsBelowUsual(const HoursViews& hours, double factor, uint64_t minimum) {
  if (!hours.usual) return Verdict::kUnknown;
  if (*hours.usual < static_cast<double>(minimum)) {
    // There is no alarm, but an alarm ends when there are views again.
    return hours.views.least >= minimum ? Verdict::kDoesNotHold : Verdict::kTooFewUsual;
  }
  return IsBelow(hours.views, factor * *hours.usual);
}

// The order in which one of two verdicts decides.
Verdict Either(Verdict one, Verdict other) {
  for (const Verdict verdict : {Verdict::kHolds, Verdict::kUnknown, Verdict::kTooFewUsual}) {
    if (one == verdict || other == verdict) return verdict;
  }
  return Verdict::kDoesNotHold;
}

Verdict Both(Verdict one, Verdict other) {
  for (const Verdict verdict : {Verdict::kDoesNotHold, Verdict::kUnknown, Verdict::kTooFewUsual}) {
    if (one == verdict || other == verdict) return verdict;
  }
  return Verdict::kHolds;
}

double ShareOfUsual(const HoursViews& hours) {
  return static_cast<double>(hours.views.least + 1) / (hours.usual.value_or(0) + 1);
}

}  // namespace

Verdict Judge(const v1::Alert& alert, const AlertReading& reading) {
  const HoursViews& running = reading.running;
  const HoursViews& ended = reading.ended;
  const uint64_t minimum = MinimumUsualOf(alert);
  switch (alert.condition_case()) {
    case Condition::kViewsAbove: {
      const auto limit = static_cast<double>(alert.views_above());
      return Either(IsAbove(running.views, limit), IsAbove(ended.views, limit));
    }
    case Condition::kViewsBelow: {
      const auto limit = static_cast<double>(alert.views_below());
      return Both(IsBelow(running.views, limit), IsBelow(ended.views, limit));
    }
    case Condition::kAboveUsual:
      return Either(IsAboveUsual(running, alert.above_usual(), minimum),
                    IsAboveUsual(ended, alert.above_usual(), minimum));
    case Condition::kBelowUsual:
      return Both(IsBelowUsual(running, alert.below_usual(), minimum),
                  IsBelowUsual(ended, alert.below_usual(), minimum));
    case Condition::kDigest:
    case Condition::CONDITION_NOT_SET:
      break;
  }
  VIEWCOUNT_CHECK(false);
}

const HoursViews& DecisiveHours(const v1::Alert& alert, const AlertReading& reading) {
  const bool running = ComparesWithUsual(alert) ? ShareOfUsual(reading.running) > ShareOfUsual(reading.ended)
                                                : reading.running.views.least > reading.ended.views.least;
  return running ? reading.running : reading.ended;
}

uint64_t MinimumUsualOf(const v1::Alert& alert) {
  return alert.minimum_usual() == 0 ? kMinimumUsualViews : alert.minimum_usual();
}

bool ComparesWithUsual(const v1::Alert& alert) { return alert.has_above_usual() || alert.has_below_usual(); }

}  // namespace viewcount
