// The names under which a lane writes to the store.
#pragma once

#include <vector>

#include "service/base/identifiers.h"

namespace viewcount {

// Identifies a lane when it claims a shard.
struct LaneIdentity {
  LaneId id;
  Incarnation incarnation;
  // The incarnations that the lane had before. Finding one of them in the store means that the store went back in time.
  std::vector<Incarnation> earlier;
};

}  // namespace viewcount
