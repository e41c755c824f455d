#include "bench/load/tally.h"

#include <time.h>

namespace viewcount::bench {
namespace {

double SecondsOf(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

Tally::Sample Tally::Take(TimePoint now) const {
  Sample sample{.time = now, .generator_cpu_seconds = SecondsOf(CLOCK_PROCESS_CPUTIME_ID)};
  clockid_t clock;
  if (server_ != 0 && clock_getcpuclockid(server_, &clock) == 0) sample.server_cpu_seconds = SecondsOf(clock);
  return sample;
}

void Tally::Tick(TimePoint now) {
  if (phase_ == Phase::kBefore && now >= period_.measured_from) {
    phase_ = Phase::kMeasuring;
    begin_ = Take(now);
  } else if (phase_ == Phase::kMeasuring && now >= period_.end) {
    phase_ = Phase::kAfter;
    const Sample end = Take(now);
    measured_.seconds = std::chrono::duration<double>(end.time - begin_.time).count();
    measured_.generator_cpu_seconds = end.generator_cpu_seconds - begin_.generator_cpu_seconds;
    measured_.server_cpu_seconds = end.server_cpu_seconds - begin_.server_cpu_seconds;
  }
}

void Tally::Add(TimePoint due, TimePoint now, const Answer& answer) {
  acknowledged_views_ += answer.acknowledged_views;
  if (!answer.ok()) ++errors_;
  if (due >= period_.measured_from) (answer.ok() ? latency_ : error_latency_).Record(now - due);
  if (phase_ != Phase::kMeasuring) return;
  measured_.acknowledged_views += answer.acknowledged_views;
  if (answer.ok()) {
    ++measured_.requests;
  } else {
    auto found = measured_.errors.find(answer.code);
    if (found == measured_.errors.end()) found = measured_.errors.emplace(answer.code, 0).first;
    ++found->second;
  }
  if (answer.duplicate) ++measured_.duplicates;
}

void Tally::AddUnsent(TimePoint due) {
  ++unsent_;
  if (due >= period_.measured_from) latency_.Record(period_.end - due);
}

}  // namespace viewcount::bench
