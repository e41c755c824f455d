// When something was seen, for so long as that matters: viewers of visits, pairs of cool-downs.
#pragma once

#include <absl/status/status.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

// One thread at a time. Bounded: in two generations, of which the older one goes when nothing of it matters any more,
// and the younger one takes its place; where more than `entries_max` were noted before that, the generations change
// sooner, and what was noted longest ago is forgotten before its time. A look takes one or two accesses to memory.
//
// Views tell when they were, and are received later, or a little earlier: what is seen together is told by the former,
// how long it matters by the latter. So neither a clock that is ahead nor an import of last year makes it forget.
class SightingTable {
 public:
  using Seconds = std::chrono::seconds;

  // Seconds since 1970; 0 is never.
  struct Sighting {
    uint32_t newest = 0;
    // Of those that came later than they should have, by more than the span, the last one: views that a backend or an
    // import delivers afterwards are told apart among themselves.
    uint32_t late = 0;

    // Whether `moment` is no further than `span` from one of the two, before or behind it.
    bool IsWithin(uint32_t moment, Seconds span) const { return Are(newest, moment, span) || Are(late, moment, span); }

   private:
    static bool Are(uint32_t a, uint32_t b, Seconds span) {
      return a != 0 && b != 0 && (a > b ? a - b : b - a) <= span.count();
    }
  };

  explicit SightingTable(size_t entries_max) : entries_max_(entries_max) {}

  // From 1 on; the last second is one of the year 2106.
  static uint32_t SecondsOf(int64_t unix_ms);

  // Of the key, a hash.
  Sighting Find(uint64_t key) const;
  // Remembers that it was seen at `moment`, for at least `span` from `received` on. Returns what Find said.
  Sighting Note(uint64_t key, uint32_t moment, uint32_t received, Seconds span);
  // Forgets what has not mattered since `received`, as Note does now and then.
  void Forget(uint32_t received);

  size_t size() const { return young_.size() + old_.size(); }
  // Approximate memory it takes.
  size_t bytes() const;

  // For a checkpoint. Takes some 10 ms for a million.
  std::string Serialize() const;
  // Adds what another table remembered. DATA_LOSS for text that no table wrote.
  absl::Status Merge(std::string_view text);

 private:
  using Sightings = boost::unordered_flat_map<uint64_t, Sighting>;

  // Makes a younger generation.
  void Rotate();

  size_t entries_max_;
  // The latest at which something was received.
  uint32_t now_ = 0;
  Sightings young_;
  Sightings old_;
  // Nothing of the generation matters to what is received beyond this.
  uint32_t young_until_ = 0;
  uint32_t old_until_ = 0;
};

}  // namespace viewcount
