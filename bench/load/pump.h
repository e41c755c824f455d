// Decides when each request is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "bench/load/tally.h"

namespace viewcount::bench {

// A slot stands for one request that can be in flight. It sends a request and is free again when the answer arrives.
// Thread-safe.
class Pump {
 public:
  // Sends the slot's next request, which was due at `due`. Called by the thread that calls the pump.
  using Send = std::function<void(size_t slot, TimePoint due)>;

  // Request i is due at start + i / rate. With rate 0 it is due as soon as a slot is free.
  Pump(const Period& period, double rate, size_t slots, Send send);

  // Sends all requests that are due and have a slot. Returns the time by which it must be called again.
  TimePoint Advance(TimePoint now);
  // Frees the slot after its request was answered. Sends the requests that are due.
  void Release(size_t slot, TimePoint now);
  // Returns true if everything was sent and answered.
  bool Finished(TimePoint now) const;
  // Reports every request that was due but never sent. Must be called after Finished returned true.
  void ReportUnsent(Tally& tally) const;

 private:
  // Takes a slot for a request that is due. If there is none, returns the time until which to wait.
  std::optional<TimePoint> Take(TimePoint now, size_t& slot, TimePoint& due);

  const Period period_;
  // 0 means that there is no schedule.
  const double rate_;
  const size_t slots_;
  const Send send_;
  mutable std::mutex mutex_;
  std::vector<size_t> free_;
  uint64_t sent_ = 0;
};

}  // namespace viewcount::bench
