// The windows, the shard and the deltas that tests of counts share.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "service/base/identifiers.h"
#include "service/model/window.h"
#include "service/store/part.h"

namespace viewcount {

inline constexpr Window kAll{Window::Kind::kAllTime, 0};
inline constexpr Window kBots{Window::Kind::kBots, 0};
inline constexpr Window kDay{Window::Kind::kDay, 20261122};
inline constexpr Shard kShard{5};
// The highest count that a store keeps.
inline constexpr int64_t kHighest = int64_t{1} << 53;

// Views of the site `demo`.
inline HashDelta Views(Window window, std::vector<ArticleDelta> deltas) { return {"demo", window, std::move(deltas)}; }
// An administrator's change of counts of the site `demo`.
inline HashDelta AdjustmentOf(Window window, std::vector<ArticleDelta> deltas) {
  return {"demo", window, std::move(deltas), true};
}

}  // namespace viewcount
