// The hours and weights of a trending list.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "service/model/weighted_windows.h"
#include "service/query/window.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

struct TrendingSum {
  // Hours of UTC up to the current one, each with its weight. An hour that is k hours old has the weight
  // 2^(-k / half-life), rounded to a multiple of 1/kFullWeight. Hours whose weight is 0 are left out.
  WeightedWindows windows;
  // All hours of the span.
  std::vector<Window> hours;
  TimeSpan span;
  int64_t half_life_ms = 0;
  std::string formula;
};

// INVALID_ARGUMENT names the field. Thread-safe.
absl::StatusOr<TrendingSum> TrendingSumOf(const v1::ListTrendingRequest& request, int64_t now_unix_ms);

// Returns the hours of `last`, or `otherwise` if the window is not set. INVALID_ARGUMENT if the window is another one,
// or not a whole number of hours from 1 to `hours_max`.
absl::StatusOr<int64_t> LastHoursOf(const v1::Window& window, int64_t otherwise, int64_t hours_max);

}  // namespace viewcount
