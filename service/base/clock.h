// Time as the service sees it, behind an interface so that tests and the simulation can turn it.
#pragma once

#include <chrono>
#include <cstdint>

namespace viewcount {

using SteadyTime = std::chrono::steady_clock::time_point;

// Thread safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970-01-01 UTC; may jump.
  virtual int64_t UnixMillis() const = 0;
  // Never goes back; for durations and deadlines.
  virtual SteadyTime Now() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  int64_t UnixMillis() const override {
    using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::system_clock;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  }
  SteadyTime Now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace viewcount
