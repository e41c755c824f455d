// The load over HTTP: what browsers send when a page is seen.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>

#include "bench/load/options.h"
#include "bench/load/tally.h"

namespace viewcount::bench {

class BeaconClient {
 public:
  // Encodes the requests. INVALID_ARGUMENT if the target is no address.
  static absl::StatusOr<std::unique_ptr<BeaconClient>> Create(const Options& options);
  virtual ~BeaconClient() = default;

  // Opens all connections. UNAVAILABLE if nobody answers.
  virtual absl::Status Connect() = 0;
  // Runs until all is sent and answered, or some seconds after the period's end.
  virtual void Run(const Period& period, Tally& tally) = 0;
  // Views that may have been counted although nobody said so.
  virtual uint64_t doubtful_views() const = 0;
};

}  // namespace viewcount::bench
