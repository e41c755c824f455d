// Formats the output of viewcount_load.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/load/options.h"
#include "bench/load/tally.h"

namespace viewcount::bench {

// The views that the store received during the run, and the views that it should have received.
struct StoreComparison {
  int64_t added = 0;
  uint64_t acknowledged = 0;
  // Views that may have been counted although they were not acknowledged.
  uint64_t doubtful = 0;

  bool ok() const {
    return added >= static_cast<int64_t>(acknowledged) && added <= static_cast<int64_t>(acknowledged + doubtful);
  }
};

// Formats the results in lines for people, or as one JSON object.
std::string Report(const Options& options, const Tally& tally, const std::optional<StoreComparison>& store);

}  // namespace viewcount::bench
