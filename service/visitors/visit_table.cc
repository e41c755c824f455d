#include "service/visitors/visit_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

namespace viewcount {
namespace {

constexpr uint32_t kPauseSeconds = std::chrono::duration_cast<std::chrono::seconds>(limits::kVisitPause).count();

// In a checkpoint: 12 bytes, little-endian.
constexpr size_t kStoredBytes = sizeof(uint64_t) + sizeof(uint32_t);
static_assert(std::endian::native == std::endian::little);

uint64_t KeyOf(VisitorKey viewer) { return viewer.site_seed ^ viewer.viewer; }

uint32_t SecondsOf(int64_t unix_ms) {
  // 0 is for never; the last second is that of the year 2106.
  return static_cast<uint32_t>(std::clamp<int64_t>(unix_ms / 1'000, 1, std::numeric_limits<uint32_t>::max()));
}

bool IsOneVisit(uint32_t seen, uint32_t now) {
  return seen != 0 && (seen > now ? seen - now : now - seen) <= kPauseSeconds;
}

}  // namespace

bool VisitTable::Begins(VisitorKey viewer, VisitorKey previous, int64_t unix_ms) {
  const uint32_t seconds = SecondsOf(unix_ms);
  if (IsOneVisit(Note(KeyOf(viewer), seconds), seconds)) return false;
  return previous.viewer == 0 || !IsOneVisit(SeenAt(KeyOf(previous)), seconds);
}

void VisitTable::Replay(VisitorKey viewer, int64_t unix_ms) { Note(KeyOf(viewer), SecondsOf(unix_ms)); }

uint32_t VisitTable::SeenAt(uint64_t key) const {
  for (const Times* times : {&young_, &old_}) {
    if (const auto found = times->find(key); found != times->end()) return found->second;
  }
  return 0;
}

uint32_t VisitTable::Note(uint64_t key, uint32_t seconds) {
  newest_ = std::max(newest_, seconds);
  // Whoever is in the older generation then was last seen more than a pause ago.
  if (newest_ - changed_at_ > kPauseSeconds || young_.size() >= viewers_max_ / 2) {
    old_ = std::exchange(young_, Times());
    changed_at_ = newest_;
  }
  const auto [place, added] = young_.try_emplace(key, seconds);
  uint32_t before = 0;
  if (!added) {
    before = place->second;
  } else if (const auto earlier = old_.find(key); earlier != old_.end()) {
    before = earlier->second;
    old_.erase(earlier);
  }
  // Views may come late.
  place->second = std::max(seconds, before);
  return before;
}

std::string VisitTable::Serialize() const {
  std::string text;
  text.reserve(size() * kStoredBytes);
  for (const Times* times : {&old_, &young_}) {
    for (const auto& [key, seconds] : *times) {
      if (newest_ - seconds > kPauseSeconds) continue;
      text.append(reinterpret_cast<const char*>(&key), sizeof(key));
      text.append(reinterpret_cast<const char*>(&seconds), sizeof(seconds));
    }
  }
  return text;
}

absl::Status VisitTable::Merge(std::string_view text) {
  if (text.size() % kStoredBytes != 0) return absl::DataLossError("a table of viewers is cut off");
  for (; !text.empty(); text.remove_prefix(kStoredBytes)) {
    uint64_t key = 0;
    uint32_t seconds = 0;
    std::memcpy(&key, text.data(), sizeof(key));
    std::memcpy(&seconds, text.data() + sizeof(key), sizeof(seconds));
    Note(key, seconds);
  }
  return absl::OkStatus();
}

}  // namespace viewcount
