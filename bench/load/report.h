// What viewcount_load prints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/load/options.h"
#include "bench/load/tally.h"

namespace viewcount::bench {

// What the store got during the run, and what it should have got.
struct StoreComparison {
  int64_t added = 0;
  uint64_t acknowledged = 0;
  // Views that may have been counted although nobody said so.
  uint64_t doubtful = 0;

  bool ok() const {
    return added >= static_cast<int64_t>(acknowledged) && added <= static_cast<int64_t>(acknowledged + doubtful);
  }
};

// In lines for people, or as one JSON object.
std::string Report(const Options& options, const Tally& tally, const std::optional<StoreComparison>& store);

}  // namespace viewcount::bench
