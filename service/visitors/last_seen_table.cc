#include "service/visitors/last_seen_table.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "service/base/little_endian.h"

namespace viewcount {
namespace {

using little_endian::Append, little_endian::Take;

// A checkpoint holds the older generation, then the younger one. Each has the time until which it matters, the number
// of its entries, and the entries.
constexpr size_t kEntryBytes = sizeof(uint64_t) + 2 * sizeof(uint32_t);
constexpr size_t kGenerationBytes = sizeof(uint32_t) + sizeof(uint64_t);
// The metadata of a map takes this many bytes for each group of 15 entries.
constexpr size_t kGroupBytes = 16;
constexpr size_t kGroupEntries = 15;

// Returns the time `seconds` later, at most the last second of 32 bits, in 2106.
uint32_t Later(uint32_t moment, LastSeenTable::Seconds seconds) {
  return static_cast<uint32_t>(std::min<int64_t>(moment + seconds.count(), std::numeric_limits<uint32_t>::max()));
}

}  // namespace

uint32_t LastSeenTable::SecondsOf(int64_t unix_ms) {
  return static_cast<uint32_t>(std::clamp<int64_t>(unix_ms / 1'000, 1, std::numeric_limits<uint32_t>::max()));
}

LastSeenTable::Sighting LastSeenTable::Find(uint64_t key) const {
  for (const Sightings* sightings : {&young_, &old_}) {
    if (const auto found = sightings->find(key); found != sightings->end()) return found->second;
  }
  return {};
}

LastSeenTable::Sighting LastSeenTable::Note(uint64_t key, uint32_t moment, uint32_t received, Seconds span) {
  Forget(received);
  if (young_.size() >= entries_max_ / 2) Rotate();
  young_until_ = std::max(young_until_, Later(now_, span));
  const auto [place, added] = young_.try_emplace(key);
  if (added) {
    if (const auto earlier = old_.find(key); earlier != old_.end()) {
      place->second = earlier->second;
      old_.erase(earlier);
    }
  }
  Sighting& sighting = place->second;
  const Sighting before = sighting;
  if (Later(moment, span) >= sighting.newest) {
    sighting.newest = std::max(sighting.newest, moment);
  } else {
    sighting.late = moment;
  }
  return before;
}

void LastSeenTable::Forget(uint32_t received) {
  now_ = std::max(now_, received);
  if (now_ > old_until_ && !young_.empty()) Rotate();
  // Nothing was noted for so long that the entries that have just become the older generation do not matter any more
  // either.
  if (now_ > old_until_ && !old_.empty()) old_ = Sightings();
}

void LastSeenTable::Rotate() {
  old_ = std::exchange(young_, Sightings());
  old_until_ = std::exchange(young_until_, 0);
  // About as many entries are likely to come again. Reserving memory avoids moving entries while the map fills.
  if (now_ <= old_until_) young_.reserve(std::min(old_.size(), entries_max_ / 2));
}

size_t LastSeenTable::bytes() const {
  size_t bytes = 0;
  for (const Sightings* sightings : {&young_, &old_}) {
    bytes += sightings->bucket_count() * (sizeof(Sightings::value_type) + kGroupBytes / kGroupEntries + 1);
  }
  return bytes;
}

std::string LastSeenTable::Serialize() const {
  std::string text;
  text.reserve(2 * kGenerationBytes + size() * kEntryBytes);
  for (const bool young : {false, true}) {
    const Sightings& sightings = young ? young_ : old_;
    Append(text, young ? young_until_ : old_until_);
    Append(text, uint64_t{sightings.size()});
    for (const auto& [key, sighting] : sightings) {
      Append(text, key);
      Append(text, sighting.newest);
      Append(text, sighting.late);
    }
  }
  return text;
}

absl::Status LastSeenTable::Merge(std::string_view text) {
  while (!text.empty()) {
    const auto cut_off = absl::DataLossError("a table of who was seen when is cut off");
    if (text.size() < kGenerationBytes) return cut_off;
    const auto until = Take<uint32_t>(text);
    const auto count = Take<uint64_t>(text);
    if (text.size() / kEntryBytes < count) return cut_off;
    for (uint64_t i = 0; i < count; ++i) {
      if (young_.size() >= entries_max_ / 2) Rotate();
      young_until_ = std::max(young_until_, until);
      const auto key = Take<uint64_t>(text);
      Sighting& sighting = young_[key];
      sighting.newest = Take<uint32_t>(text);
      sighting.late = Take<uint32_t>(text);
    }
  }
  return absl::OkStatus();
}

}  // namespace viewcount
