#include "client/cli/series_change.h"

#include <absl/time/civil_time.h>
#include <fmt/format.h>

namespace viewcount::cli {

bool IsFinished(const v1::SeriesPoint& point, v1::SeriesStep step, const google::protobuf::Timestamp& as_of) {
  constexpr int64_t kSecondsOfDay = 86'400;
  int64_t seconds = kSecondsOfDay;
  if (step == v1::SERIES_STEP_HOUR) seconds = kSecondsOfDay / 24;
  if (step == v1::SERIES_STEP_WEEK) seconds = 7 * kSecondsOfDay;
  if (absl::CivilDay day; step == v1::SERIES_STEP_MONTH && absl::ParseCivilTime(point.day(), &day)) {
    seconds = (absl::CivilDay(absl::CivilMonth(day) + 1) - day) * kSecondsOfDay;
  }
  return as_of.seconds() >= point.start().seconds() + seconds;
}

std::string ChangeText(uint64_t views, uint64_t before, bool sign) {
  if (before == 0) return "";
  const double change = 100 * (static_cast<double>(views) / static_cast<double>(before) - 1);
  return fmt::format("{:+.1f}{}", change, sign ? " %" : "");
}

}  // namespace viewcount::cli
