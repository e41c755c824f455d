#include "service/visitors/visit_table.h"

namespace viewcount {
namespace {

constexpr auto kPause = std::chrono::duration_cast<std::chrono::seconds>(limits::kVisitPause);

uint64_t KeyOf(VisitorKey viewer) { return viewer.site_seed ^ viewer.viewer; }

}  // namespace

bool VisitTable::RecordView(VisitorKey viewer, VisitorKey previous, int64_t unix_ms, int64_t receipt_unix_ms) {
  const uint32_t moment = LastSeenTable::SecondsOf(unix_ms);
  const auto before = viewers_.Note(KeyOf(viewer), moment, LastSeenTable::SecondsOf(receipt_unix_ms), kPause);
  if (before.IsWithin(moment, kPause)) return false;
  return previous.viewer == 0 || !viewers_.Find(KeyOf(previous)).IsWithin(moment, kPause);
}

void VisitTable::Replay(VisitorKey viewer, int64_t unix_ms, int64_t receipt_unix_ms) {
  viewers_.Note(KeyOf(viewer), LastSeenTable::SecondsOf(unix_ms), LastSeenTable::SecondsOf(receipt_unix_ms), kPause);
}

void VisitTable::Forget(int64_t unix_ms) { viewers_.Forget(LastSeenTable::SecondsOf(unix_ms)); }

}  // namespace viewcount
