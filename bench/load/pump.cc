#include "bench/load/pump.h"

#include <algorithm>
#include <utility>

namespace viewcount::bench {
namespace {

// While all slots are taken, the next answer arrives before this pause is over.
constexpr std::chrono::milliseconds kFullPause{5};

TimePoint DueOf(const Period& period, double rate, uint64_t request) {
  const std::chrono::duration<double> after(static_cast<double>(request) / rate);
  return period.start + std::chrono::duration_cast<Clock::duration>(after);
}

}  // namespace

Pump::Pump(const Period& period, double rate, size_t slots, Send send)
    : period_(period), rate_(rate), slots_(slots), send_(std::move(send)) {
  for (size_t slot = slots; slot-- > 0;) free_.push_back(slot);
}

TimePoint Pump::Advance(TimePoint now) {
  while (true) {
    size_t slot = 0;
    TimePoint due;
    if (const auto wait_until = Take(now, slot, due)) return *wait_until;
    send_(slot, due);
  }
}

void Pump::Release(size_t slot, TimePoint now) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(slot);
  }
  Advance(now);
}

std::optional<TimePoint> Pump::Take(TimePoint now, size_t& slot, TimePoint& due) {
  const std::lock_guard lock(mutex_);
  if (free_.empty() || now >= period_.end) return now + kFullPause;
  due = rate_ == 0 ? now : DueOf(period_, rate_, sent_);
  if (due > now) return std::min(due, period_.end);
  slot = free_.back();
  free_.pop_back();
  ++sent_;
  return std::nullopt;
}

bool Pump::Finished(TimePoint now) const {
  const std::lock_guard lock(mutex_);
  return now >= period_.end && free_.size() == slots_;
}

void Pump::ReportUnsent(Tally& tally) const {
  const std::lock_guard lock(mutex_);
  if (rate_ == 0) return;
  for (uint64_t request = sent_;; ++request) {
    const TimePoint due = DueOf(period_, rate_, request);
    if (due >= period_.end) return;
    tally.AddUnsent(due);
  }
}

}  // namespace viewcount::bench
