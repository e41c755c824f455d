// The service's source of time. It is an interface, so tests and the simulation can control the time.
#pragma once

#include <chrono>
#include <cstdint>

namespace viewcount {

using SteadyTime = std::chrono::steady_clock::time_point;

// A source of time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Returns the milliseconds since 1970-01-01 UTC. The value may jump in both directions.
  virtual int64_t UnixMillis() const = 0;
  // Returns a time that never decreases. It is meant for durations and deadlines.
  virtual SteadyTime Now() const = 0;
};

// Reads the clocks of the machine.
class SystemClock final : public Clock {
 public:
  int64_t UnixMillis() const override {
    using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::system_clock;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  }
  SteadyTime Now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace viewcount
