// What came of the requests.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "bench/load/histogram.h"

namespace viewcount::bench {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

// From when to when requests are sent, and from when on they are measured.
struct Period {
  TimePoint start;
  TimePoint measured_from;
  TimePoint end;
};

// What one request came to. `code` is OK or a name of what went wrong, and outlives everything.
struct Answer {
  std::string_view code;
  uint64_t acknowledged_views = 0;
  bool duplicate = false;

  bool ok() const { return code == "OK"; }
};

// Of what was answered while measuring.
struct Measured {
  uint64_t requests = 0;
  uint64_t acknowledged_views = 0;
  uint64_t duplicates = 0;
  std::map<std::string, uint64_t, std::less<>> errors;
  double seconds = 0;
  double generator_cpu_seconds = 0;
  double server_cpu_seconds = 0;
};

// Adds up answers. Not thread safe.
class Tally {
 public:
  // `server` is whose CPU seconds are measured; 0: nobody's.
  Tally(const Period& period, pid_t server) : period_(period), server_(server) {}

  // Often: what is measured begins and ends with the first call at or after its time.
  void Tick(TimePoint now);
  // An answer that came now, to a request that was due at `due`.
  void Add(TimePoint due, TimePoint now, const Answer& answer);
  // A request that was due at `due` and could not be sent until the end: it took at least as long as until then.
  void AddUnsent(TimePoint due);

  const Measured& measured() const { return measured_; }
  // Of requests that were due while measuring, whenever they were answered.
  const Histogram& latency() const { return latency_; }
  const Histogram& error_latency() const { return error_latency_; }
  // Of the whole run.
  uint64_t acknowledged_views() const { return acknowledged_views_; }
  uint64_t errors() const { return errors_; }
  uint64_t unsent() const { return unsent_; }

 private:
  struct Sample {
    TimePoint time;
    double generator_cpu_seconds = 0;
    double server_cpu_seconds = 0;
  };
  Sample Take(TimePoint now) const;

  enum class Phase { kBefore, kMeasuring, kAfter };

  const Period period_;
  const pid_t server_;
  Phase phase_ = Phase::kBefore;
  Sample begin_;
  Measured measured_;
  Histogram latency_;
  Histogram error_latency_;
  uint64_t acknowledged_views_ = 0;
  uint64_t errors_ = 0;
  uint64_t unsent_ = 0;
};

}  // namespace viewcount::bench
