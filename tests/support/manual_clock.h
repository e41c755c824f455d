// A clock that stands still until a test moves it.
#pragma once

#include <atomic>
#include <chrono>

#include "service/base/clock.h"

namespace viewcount {

// Thread-safe.
class ManualClock final : public Clock {
 public:
  int64_t UnixMillis() const override { return kBeginUnixMs + turned_; }
  SteadyTime Now() const override {
    return SteadyTime() + std::chrono::hours(1'000) + std::chrono::milliseconds(turned_);
  }
  void Advance(std::chrono::milliseconds by) { turned_ += by.count(); }

 private:
  // The begin is 2026-11-22T22:00Z.
  static constexpr int64_t kBeginUnixMs = int64_t{498'718} * 3'600'000;
  std::atomic<int64_t> turned_{0};
};

}  // namespace viewcount
