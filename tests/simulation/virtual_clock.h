// A clock whose time passes only when the simulation says so.
#pragma once

#include <chrono>
#include <cstdint>

#include "service/base/clock.h"

namespace viewcount::simulation {

// A machine's clocks: a steady clock that counts true time from the last reboot, and a wall clock that may be set
// wrong. Not thread-safe. `true_time` must outlive it.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(const std::chrono::milliseconds& true_time) : true_time_(true_time) {}

  int64_t UnixMillis() const override { return kBegin + (true_time_ + wall_error_).count(); }
  // Never returns zero, which stands for "not yet".
  SteadyTime Now() const override { return SteadyTime(std::chrono::hours(1) + true_time_ - booted_); }

  int64_t true_unix_ms() const { return kBegin + true_time_.count(); }
  void SetWallError(std::chrono::milliseconds error) { wall_error_ = error; }
  // Simulates a reboot: the steady clock starts again.
  void Reboot() { booted_ = true_time_; }

 private:
  // Monday, 9 March 2026, 06:30 UTC. The clocks in New York changed 23.5 hours before.
  static constexpr int64_t kBegin = 1'773'037'800'000;
  const std::chrono::milliseconds& true_time_;
  std::chrono::milliseconds booted_{0};
  std::chrono::milliseconds wall_error_{0};
};

}  // namespace viewcount::simulation
