// Windows whose views are added up, each multiplied by a weight.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "service/model/window.h"

namespace viewcount {

// No view may lie in two of the windows. A value type.
struct WeightedWindows {
  // The weight of a view that counts fully, where views have weights. So weights are fractions of this number.
  static constexpr uint32_t kFullWeight = 1 << 16;
  // More views than this of one article in one window count as this many, so that no sum overflows.
  static constexpr int64_t kViewsMax = int64_t{1} << 38;

  WeightedWindows() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): windows without weights are the usual case.
  WeightedWindows(std::vector<Window> of, std::vector<uint32_t> their_weights = {})
      : windows(std::move(of)), weights(std::move(their_weights)) {}

  bool has_weights() const { return !weights.empty(); }
  uint32_t WeightOf(size_t window) const { return has_weights() ? weights[window] : 1; }
  uint32_t weight_max() const { return has_weights() ? *std::max_element(weights.begin(), weights.end()) : 1; }
  // Returns the weighted number of views in a window.
  int64_t Weigh(size_t window, int64_t views) const {
    if (!has_weights()) return views;
    return std::clamp(views, -kViewsMax, kViewsMax) * weights[window];
  }

  std::vector<Window> windows;
  // One for each window, 1 to kFullWeight; empty if views only count.
  std::vector<uint32_t> weights;

  auto operator<=>(const WeightedWindows&) const = default;
};

inline const WeightedWindows kNoWindows;

}  // namespace viewcount
