#include "service/visitors/visit_table.h"

namespace viewcount {
namespace {

constexpr auto kPause = std::chrono::duration_cast<std::chrono::seconds>(limits::kVisitPause);

uint64_t KeyOf(VisitorKey viewer) { return viewer.site_seed ^ viewer.viewer; }

}  // namespace

bool VisitTable::Begins(VisitorKey viewer, VisitorKey previous, int64_t unix_ms) {
  const uint32_t seconds = SightingTable::SecondsOf(unix_ms);
  if (SightingTable::IsWithin(viewers_.Note(KeyOf(viewer), seconds, kPause), seconds, kPause)) return false;
  return previous.viewer == 0 || !SightingTable::IsWithin(viewers_.SeenAt(KeyOf(previous)), seconds, kPause);
}

void VisitTable::Replay(VisitorKey viewer, int64_t unix_ms) {
  viewers_.Note(KeyOf(viewer), SightingTable::SecondsOf(unix_ms), kPause);
}

}  // namespace viewcount
