// Decides when which request is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "bench/load/tally.h"

namespace viewcount::bench {

// Slots are what can be on its way at once: each sends a request, and is free again with the answer. Thread safe.
class Pump {
 public:
  // Sends the slot's next request, which was due at `due`. Called by whatever thread calls the pump.
  using Send = std::function<void(size_t slot, TimePoint due)>;

  // Request i is due at start + i / rate. With rate 0 it is due as soon as a slot is free.
  Pump(const Period& period, double rate, size_t slots, Send send);

  // Sends what is due and has a slot. Returns when it is to be called again, at the latest.
  TimePoint Advance(TimePoint now);
  // The slot's request was answered. Sends what is due.
  void Release(size_t slot, TimePoint now);
  // Whether everything was sent and answered.
  bool Finished(TimePoint now) const;
  // Tells of every request that was due and never sent. Call it when finished.
  void ReportUnsent(Tally& tally) const;

 private:
  // A slot for a request that is due, or until when to wait for one.
  std::optional<TimePoint> Take(TimePoint now, size_t& slot, TimePoint& due);

  const Period period_;
  // 0: no schedule.
  const double rate_;
  const size_t slots_;
  const Send send_;
  mutable std::mutex mutex_;
  std::vector<size_t> free_;
  uint64_t sent_ = 0;
};

}  // namespace viewcount::bench
