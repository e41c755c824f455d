#include "service/visitors/cool_down_table.h"

#include <array>

#include "service/base/hash.h"

namespace viewcount {
namespace {

uint64_t KeyOf(uint64_t article, uint64_t viewer) {
  const std::array<uint64_t, 2> pair = {article, viewer};
  return Hash64({reinterpret_cast<const char*>(pair.data()), sizeof(pair)});
}

// Returns true if the view is within the cool-down of a counted one. A view exactly one cool-down later counts, so the
// span is a second shorter.
bool IsTooSoon(const LastSeenTable::Sighting& counted, uint32_t moment, LastSeenTable::Seconds cool_down) {
  return counted.IsWithin(moment, cool_down - LastSeenTable::Seconds(1));
}

}  // namespace

bool CoolDownTable::TryCountView(uint64_t article, uint64_t viewer, uint64_t previous_viewer, int64_t unix_ms,
                                 int64_t receipt_unix_ms, Seconds cool_down) {
  const uint32_t moment = LastSeenTable::SecondsOf(unix_ms);
  if (IsTooSoon(pairs_.Find(KeyOf(article, viewer)), moment, cool_down)) return false;
  if (previous_viewer != 0 && IsTooSoon(pairs_.Find(KeyOf(article, previous_viewer)), moment, cool_down)) return false;
  Replay(article, viewer, unix_ms, receipt_unix_ms, cool_down);
  return true;
}

void CoolDownTable::Replay(uint64_t article, uint64_t viewer, int64_t unix_ms, int64_t receipt_unix_ms,
                           Seconds cool_down) {
  // Two counted views may be exactly one cool-down apart, so the span is a second shorter than the cool-down.
  pairs_.Note(KeyOf(article, viewer), LastSeenTable::SecondsOf(unix_ms), LastSeenTable::SecondsOf(receipt_unix_ms),
              cool_down - Seconds(1));
}

void CoolDownTable::Forget(int64_t unix_ms) { pairs_.Forget(LastSeenTable::SecondsOf(unix_ms)); }

}  // namespace viewcount
