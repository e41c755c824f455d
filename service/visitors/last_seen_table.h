// Remembers when keys were last seen, as long as that matters: viewers for visits, pairs of viewer and article for
// cool-downs.
#pragma once

#include <absl/status/status.h>

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

// Remembers sightings of keys in bounded memory. Not thread-safe: used by one thread at a time.
//
// The entries are in two generations. When no entry of the older generation matters any more, it is deleted, and the
// younger generation takes its place. If the younger one reaches half of `entries_max` before that, the generations
// change earlier. Then the oldest entries are forgotten before their time. Find takes one or two memory accesses.
//
// Each view has a time at which it happened, and is received later or a little earlier. The time of the view decides
// which views belong together. The time of receipt decides how long an entry matters. So neither a clock that is ahead
// nor an import of last year's views makes the table forget entries.
class LastSeenTable {
 public:
  using Seconds = std::chrono::seconds;

  // The remembered times of one key, in seconds since 1970. 0 means never.
  struct Sighting {
    uint32_t newest = 0;
    // The last sighting that lay before `newest` by more than the span. With it, views that a backend or an import
    // delivers late are distinguished among themselves.
    uint32_t late = 0;

    // Returns true if `moment` is at most `span` before or after one of the two times.
    bool IsWithin(uint32_t moment, Seconds span) const { return Are(newest, moment, span) || Are(late, moment, span); }

   private:
    static bool Are(uint32_t a, uint32_t b, Seconds span) {
      return a != 0 && b != 0 && (a > b ? a - b : b - a) <= span.count();
    }
  };

  explicit LastSeenTable(size_t entries_max) : entries_max_(entries_max) {}

  // Converts milliseconds to the seconds of this table. The result is at least 1 and at most the last second that 32
  // bits hold, in the year 2106.
  static uint32_t SecondsOf(int64_t unix_ms);

  // Returns what is remembered of a key. The key must be a hash.
  Sighting Find(uint64_t key) const;
  // Remembers that the key was seen at `moment`. It is remembered for at least `span` after `received`, unless the
  // table is full. Returns what Find would have returned before.
  Sighting Note(uint64_t key, uint32_t moment, uint32_t received, Seconds span);
  // Forgets entries that do not matter any more at `received`. Note does this, too.
  void Forget(uint32_t received);

  size_t size() const { return young_.size() + old_.size(); }
  // Returns the approximate memory of the table, in bytes.
  size_t bytes() const;

  // Returns the table's content for a checkpoint. A million entries take about 10 ms.
  std::string Serialize() const;
  // Adds the content of another table. DATA_LOSS if the text is cut off.
  absl::Status Merge(std::string_view text);

 private:
  using Sightings = boost::unordered_flat_map<uint64_t, Sighting>;

  // Deletes the older generation and begins a new younger one.
  void Rotate();

  size_t entries_max_;
  // The latest time of receipt so far.
  uint32_t now_ = 0;
  Sightings young_;
  Sightings old_;
  // The last time of receipt at which an entry of the generation may matter.
  uint32_t young_until_ = 0;
  uint32_t old_until_ = 0;
};

}  // namespace viewcount
