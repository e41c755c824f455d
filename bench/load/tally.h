// Adds up the results of the requests.
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

// The period in which requests are sent, and the time from which they are measured.
struct Period {
  TimePoint start;
  TimePoint measured_from;
  TimePoint end;
};

// The result of one request. `code` is "OK" or the name of an error. It must outlive everything that uses it.
struct Answer {
  std::string_view code;
  uint64_t acknowledged_views = 0;
  bool duplicate = false;

  bool ok() const { return code == "OK"; }
};

// The results of the requests that were answered in the measured period.
struct Measured {
  uint64_t requests = 0;
  uint64_t acknowledged_views = 0;
  uint64_t duplicates = 0;
  std::map<std::string, uint64_t, std::less<>> errors;
  double seconds = 0;
  double generator_cpu_seconds = 0;
  double server_cpu_seconds = 0;
};

// Adds up answers. Not thread-safe.
class Tally {
 public:
  // `server` is the process whose CPU seconds are measured. 0 means that none is measured.
  Tally(const Period& period, pid_t server) : period_(period), server_(server) {}

  // Must be called often. The measured period begins and ends with the first call at or after its time.
  void Tick(TimePoint now);
  // Adds an answer that was received at `now` for a request that was due at `due`.
  void Add(TimePoint due, TimePoint now, const Answer& answer);
  // Adds a request that was due at `due` but could not be sent before the end. Its latency is at least the time until
  // the end.
  void AddUnsent(TimePoint due);

  const Measured& measured() const { return measured_; }
  // The latencies of requests that were due in the measured period, whenever they were answered.
  const Histogram& latency() const { return latency_; }
  const Histogram& error_latency() const { return error_latency_; }
  // The numbers of the whole run.
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
