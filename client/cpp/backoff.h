// How long to wait before a request is sent again: exponential, with jitter, so that the clients of a service that was
// away do not all come back in the same moment.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace viewcount::client {

// Not thread safe: one for each request that is retried.
class Backoff {
 public:
  // Requires 0 < `first` <= `longest`.
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : next_(first), longest_(longest), random_(std::random_device{}()) {}

  // The next delay: between half and all of a base that doubles from `first` to `longest`, and at least `at_least`
  // (what the service asked for), spread above it by up to a quarter.
  std::chrono::milliseconds Next(std::chrono::milliseconds at_least) {
    const auto base = next_;
    next_ = std::min(next_ * 2, longest_);
    const auto delay = Between(base / 2, base);
    return delay > at_least ? delay : Between(at_least, at_least + at_least / 4);
  }

 private:
  std::chrono::milliseconds Between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
    return std::chrono::milliseconds(std::uniform_int_distribution<int64_t>(low.count(), high.count())(random_));
  }

  std::chrono::milliseconds next_;
  const std::chrono::milliseconds longest_;
  std::minstd_rand random_;
};

}  // namespace viewcount::client
