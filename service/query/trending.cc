#include "service/query/trending.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/query/list_limits.h"

namespace viewcount {
namespace {

using google::protobuf::util::TimeUtil;

}  // namespace

absl::StatusOr<int64_t> LastHoursOf(const v1::Window& window, int64_t otherwise, int64_t hours_max) {
  if (window.kind_case() == v1::Window::KIND_NOT_SET) return otherwise;
  const google::protobuf::Duration& last = window.last();
  if (!window.has_last()) return InvalidField("window", fmt::format("must be last, of 1 to {} hours", hours_max));
  const bool hours = last.nanos() == 0 && last.seconds() % 3'600 == 0;
  if (!hours || last.seconds() <= 0 || last.seconds() > hours_max * 3'600) {
    return InvalidField("window.last", fmt::format("must be a whole number of hours, 1 to {}", hours_max));
  }
  return last.seconds() / 3'600;
}

absl::StatusOr<TrendingSum> TrendingSumOf(const v1::ListTrendingRequest& request, int64_t now_unix_ms) {
  TrendingSum sum{.half_life_ms = std::chrono::milliseconds(kHalfLifeDefault).count()};
  if (request.has_half_life()) {
    const auto& asked = request.half_life();
    const auto seconds_of = [](std::chrono::seconds time) { return time.count(); };
    const bool allowed = asked.seconds() >= seconds_of(kHalfLifeMin) && asked.seconds() <= seconds_of(kHalfLifeMax) &&
                         asked.nanos() >= 0 && asked.nanos() < 1'000'000'000;
    if (!allowed || (asked.seconds() == seconds_of(kHalfLifeMax) && asked.nanos() > 0)) {
      return InvalidField("half_life",
                          fmt::format("must be {} to {} hours", kHalfLifeMin.count(), kHalfLifeMax.count()));
    }
    sum.half_life_ms = TimeUtil::DurationToMilliseconds(asked);
  }
  const double half_life_hours = static_cast<double>(sum.half_life_ms) / static_cast<double>(kMsOfHour);
  const int64_t usual =
      std::min(kTrendingHoursMax.count(), static_cast<int64_t>(std::ceil(kHalfLives * half_life_hours)));
  const auto hours = LastHoursOf(request.window(), usual, kTrendingHoursMax.count());
  if (!hours.ok()) return hours.status();
  const int64_t current = now_unix_ms / kMsOfHour;
  std::vector<Window> windows;
  std::vector<uint32_t> weights;
  for (int64_t age = *hours - 1; age >= 0; --age) {
    const Window hour{Window::Kind::kHour, static_cast<uint32_t>(current - age)};
    sum.hours.push_back(hour);
    const double weight = std::exp2(-static_cast<double>(age) / half_life_hours) * WeightedWindows::kFullWeight;
    const auto rounded = static_cast<uint32_t>(std::lround(weight));
    if (rounded == 0) continue;
    windows.push_back(hour);
    weights.push_back(rounded);
  }
  sum.windows = WeightedWindows(std::move(windows), std::move(weights));
  sum.span = {(current + 1 - *hours) * kMsOfHour, (current + 1) * kMsOfHour};
  sum.formula = fmt::format("sum over hours of views * 2^(-age / {:g}), age in whole hours, weights rounded to 1/{}",
                            half_life_hours, WeightedWindows::kFullWeight);
  return sum;
}

}  // namespace viewcount
