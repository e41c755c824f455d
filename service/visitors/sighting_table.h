// When something was seen last, for so long as that matters: viewers of visits, pairs of cool-downs.
#pragma once

#include <absl/status/status.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

// One thread at a time. Two generations: when nothing of the older one matters any more, it goes, and the younger one
// takes its place. Bounded: where more than `entries_max` matter at once the generations change sooner, and what was
// seen longest ago is forgotten before its time. A look takes one or two accesses to memory.
class SightingTable {
 public:
  using Seconds = std::chrono::seconds;

  explicit SightingTable(size_t entries_max) : entries_max_(entries_max) {}

  // Whether two moments (seconds since 1970, 0 is never) are no further apart than `span`, whichever comes first: views
  // may come late.
  static bool IsWithin(uint32_t a, uint32_t b, Seconds span) {
    return a != 0 && b != 0 && (a > b ? a - b : b - a) <= span.count();
  }
  // From 1 on; the last second is one of the year 2106.
  static uint32_t SecondsOf(int64_t unix_ms);

  // When the key, a hash, was seen; 0 for never.
  uint32_t SeenAt(uint64_t key) const;
  // Remembers that it was seen, for at least `span` from then on; the latest moment counts. Returns what SeenAt said.
  uint32_t Note(uint64_t key, uint32_t seconds, Seconds span);

  size_t size() const { return young_.size() + old_.size(); }
  // Approximate memory it takes.
  size_t bytes() const;

  // For a checkpoint: the longest span, and what may still matter. Takes some 10 ms for a million.
  std::string Serialize() const;
  // Adds what another table remembered. DATA_LOSS for text that no table wrote.
  absl::Status Merge(std::string_view text);

 private:
  using Times = boost::unordered_flat_map<uint64_t, uint32_t>;

  size_t entries_max_;
  // Of what was noted so far.
  uint32_t newest_ = 0;
  uint32_t longest_span_ = 0;
  Times young_;
  Times old_;
  // Nothing of the generation matters beyond this.
  uint32_t young_until_ = 0;
  uint32_t old_until_ = 0;
};

}  // namespace viewcount
