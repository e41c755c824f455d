// Time that passes only when the simulation says so.
#pragma once

#include <chrono>
#include <cstdint>

#include "service/base/clock.h"

namespace viewcount::simulation {

// What a machine takes for the time: true time, from its own beginning, and a wall clock that may be set wrong. One
// thread.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(const std::chrono::milliseconds& true_time) : true_time_(true_time) {}

  int64_t UnixMillis() const override { return kBegin + (true_time_ + wall_error_).count(); }
  // Never the zero that stands for "not yet".
  SteadyTime Now() const override { return SteadyTime(std::chrono::hours(1) + true_time_ - booted_); }

  int64_t true_unix_ms() const { return kBegin + true_time_.count(); }
  void SetWallError(std::chrono::milliseconds error) { wall_error_ = error; }
  // As a reboot does: the steady clock begins anew.
  void Reboot() { booted_ = true_time_; }

 private:
  // A Sunday in March when clocks leap in New York, 06:30 UTC: half an hour before they do.
  static constexpr int64_t kBegin = 1'773'037'800'000;
  const std::chrono::milliseconds& true_time_;
  std::chrono::milliseconds booted_{0};
  std::chrono::milliseconds wall_error_{0};
};

}  // namespace viewcount::simulation
