// Measures the CPU time that an item costs Redis and this process. Wall-clock time would say little here.
#pragma once

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdint>
#include <string>

#include "service/base/check.h"
#include "tests/support/redis_process.h"

namespace viewcount {

// Adds up the cost of the timed parts of a benchmark. Not thread-safe.
class CpuMeter {
 public:
  explicit CpuMeter(RedisProcess& redis) : redis_(redis) {}

  void Begin() { redis_began_ = OfRedis(), own_began_ = Own(); }
  void End() { redis_seconds_ += OfRedis() - redis_began_, own_seconds_ += Own() - own_began_; }
  // Reports the counters `redis` and `service` in seconds per item.
  void Report(benchmark::State& state, int64_t items) const {
    state.counters["redis"] = redis_seconds_ / static_cast<double>(items);
    state.counters["service"] = own_seconds_ / static_cast<double>(items);
  }

 private:
  // Returns the CPU seconds of Redis' main thread.
  double OfRedis() {
    const std::string text = redis_.Command({"INFO", "cpu"});
    double seconds = 0;
    for (const std::string field : {"used_cpu_user_main_thread:", "used_cpu_sys_main_thread:"}) {
      seconds += std::stod(text.substr(text.find(field) + field.size()));
    }
    return seconds;
  }
  static double Own() {
    rusage usage{};
    VIEWCOUNT_CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }

  RedisProcess& redis_;
  double redis_began_ = 0;
  double own_began_ = 0;
  double redis_seconds_ = 0;
  double own_seconds_ = 0;
};

}  // namespace viewcount
