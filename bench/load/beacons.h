// The load over HTTP: the requests that browsers send when a page is viewed.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>

#include "bench/load/options.h"
#include "bench/load/tally.h"

namespace viewcount::bench {

// Sends beacons to one server. Not thread-safe.
class BeaconClient {
 public:
  // Encodes the requests. Returns INVALID_ARGUMENT if the target is not an address.
  static absl::StatusOr<std::unique_ptr<BeaconClient>> Create(const Options& options);
  virtual ~BeaconClient() = default;

  // Opens all connections. Returns UNAVAILABLE if no server answers.
  virtual absl::Status Connect() = 0;
  // Sends the load. Returns when all requests are sent and answered, or some seconds after the period's end.
  virtual void Run(const Period& period, Tally& tally) = 0;
  // Returns the number of views that may have been counted although they were not acknowledged.
  virtual uint64_t doubtful_views() const = 0;
};

}  // namespace viewcount::bench
