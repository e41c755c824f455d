#include "service/visitors/cool_down_table.h"

#include <array>

#include "service/base/hash.h"

namespace viewcount {
namespace {

uint64_t KeyOf(uint64_t article, uint64_t viewer) {
  const std::array<uint64_t, 2> pair = {article, viewer};
  return Hash64({reinterpret_cast<const char*>(pair.data()), sizeof(pair)});
}

// A view a whole cool-down later counts.
bool IsTooSoon(uint32_t counted, uint32_t now, SightingTable::Seconds cool_down) {
  return SightingTable::IsWithin(counted, now, cool_down - SightingTable::Seconds(1));
}

}  // namespace

bool CoolDownTable::Takes(uint64_t article, uint64_t viewer, uint64_t previous_viewer, int64_t unix_ms,
                          Seconds cool_down) {
  const uint32_t now = SightingTable::SecondsOf(unix_ms);
  const uint64_t key = KeyOf(article, viewer);
  if (IsTooSoon(pairs_.SeenAt(key), now, cool_down)) return false;
  if (previous_viewer != 0 && IsTooSoon(pairs_.SeenAt(KeyOf(article, previous_viewer)), now, cool_down)) return false;
  pairs_.Note(key, now, cool_down);
  return true;
}

void CoolDownTable::Replay(uint64_t article, uint64_t viewer, int64_t unix_ms, Seconds cool_down) {
  pairs_.Note(KeyOf(article, viewer), SightingTable::SecondsOf(unix_ms), cool_down);
}

}  // namespace viewcount
