#include "service/visitors/sighting_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace viewcount {
namespace {

// In a checkpoint numbers are little-endian: the longest span, then 12 bytes for each entry.
static_assert(std::endian::native == std::endian::little);
constexpr size_t kStoredBytes = sizeof(uint64_t) + sizeof(uint32_t);
// Of a map's metadata, for 15 places of an entry each.
constexpr size_t kGroupBytes = 16;
constexpr size_t kGroupEntries = 15;

template <typename Number>
void Append(std::string& text, Number number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <typename Number>
Number TakeNumber(std::string_view& text) {
  Number number;
  std::memcpy(&number, text.data(), sizeof(number));
  text.remove_prefix(sizeof(number));
  return number;
}

}  // namespace

uint32_t SightingTable::SecondsOf(int64_t unix_ms) {
  return static_cast<uint32_t>(std::clamp<int64_t>(unix_ms / 1'000, 1, std::numeric_limits<uint32_t>::max()));
}

uint32_t SightingTable::SeenAt(uint64_t key) const {
  for (const Times* times : {&young_, &old_}) {
    if (const auto found = times->find(key); found != times->end()) return found->second;
  }
  return 0;
}

uint32_t SightingTable::Note(uint64_t key, uint32_t seconds, Seconds span) {
  const auto until =
      static_cast<uint32_t>(std::min<int64_t>(seconds + span.count(), std::numeric_limits<uint32_t>::max()));
  newest_ = std::max(newest_, seconds);
  longest_span_ = std::max(longest_span_, static_cast<uint32_t>(span.count()));
  if ((newest_ > old_until_ && !young_.empty()) || young_.size() >= entries_max_ / 2) {
    old_ = std::exchange(young_, Times());
    old_until_ = std::exchange(young_until_, 0);
    // Likely as many come again: so nothing is moved while it fills.
    young_.reserve(std::min(old_.size(), entries_max_ / 2));
  }
  young_until_ = std::max(young_until_, until);
  const auto [place, added] = young_.try_emplace(key, seconds);
  uint32_t before = 0;
  if (!added) {
    before = place->second;
  } else if (const auto earlier = old_.find(key); earlier != old_.end()) {
    before = earlier->second;
    old_.erase(earlier);
  }
  place->second = std::max(seconds, before);
  return before;
}

size_t SightingTable::bytes() const {
  size_t bytes = 0;
  for (const Times* times : {&young_, &old_}) {
    bytes += times->bucket_count() * (sizeof(Times::value_type) + kGroupBytes / kGroupEntries + 1);
  }
  return bytes;
}

std::string SightingTable::Serialize() const {
  std::string text;
  text.reserve(sizeof(longest_span_) + size() * kStoredBytes);
  Append(text, longest_span_);
  for (const Times* times : {&old_, &young_}) {
    for (const auto& [key, seconds] : *times) {
      if (newest_ - seconds > longest_span_) continue;
      Append(text, key);
      Append(text, seconds);
    }
  }
  return text;
}

absl::Status SightingTable::Merge(std::string_view text) {
  if (text.empty()) return absl::OkStatus();
  if (text.size() % kStoredBytes != sizeof(longest_span_)) {
    return absl::DataLossError("a table of who was seen when is cut off");
  }
  const Seconds span(TakeNumber<uint32_t>(text));
  while (!text.empty()) {
    const auto key = TakeNumber<uint64_t>(text);
    Note(key, TakeNumber<uint32_t>(text), span);
  }
  return absl::OkStatus();
}

}  // namespace viewcount
