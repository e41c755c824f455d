// The clocks of a machine, which stand still until a test moves them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "service/base/check.h"
#include "service/base/clock.h"

namespace viewcount {

// A steady clock, and a wall clock that may be set wrong. Thread-safe.
class ManualClock final : public Clock {
 public:
  // Begins at 2026-11-22T22:00Z.
  ManualClock() : ManualClock(int64_t{498'718} * 3'600'000) {}
  explicit ManualClock(int64_t begin_unix_ms) : begin_unix_ms_(begin_unix_ms) {}

  int64_t UnixMillis() const override { return begin_unix_ms_ + passed_ms_ + wall_error_ms_; }
  // Never returns zero, which stands for "not yet".
  SteadyTime Now() const override {
    return SteadyTime() + std::chrono::hours(1'000) + std::chrono::milliseconds(passed_ms_ - booted_ms_);
  }

  // Lets time pass on both clocks. `by` must not be negative: only a wall clock can go back.
  void Advance(std::chrono::milliseconds by) {
    VIEWCOUNT_CHECK(by.count() >= 0);
    passed_ms_ += by.count();
  }
  // Sets the wall clock to the true time plus `error`, which may be negative.
  void SetWallError(std::chrono::milliseconds error) { wall_error_ms_ = error.count(); }
  // Simulates a reboot: the steady clock starts again.
  void Reboot() { booted_ms_ = passed_ms_.load(); }

 private:
  const int64_t begin_unix_ms_;
  // The time that has passed since the begin.
  std::atomic<int64_t> passed_ms_{0};
  // The value of `passed_ms_` at the last reboot.
  std::atomic<int64_t> booted_ms_{0};
  std::atomic<int64_t> wall_error_ms_{0};
};

}  // namespace viewcount
