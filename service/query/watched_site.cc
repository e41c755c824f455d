#include "service/query/watched_site.h"

#include "service/base/check.h"
#include "service/base/limits.h"

namespace viewcount {

uint32_t WatchedSite::Add(const std::string& id) {
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    ++slots_[found->second].watches;
    return found->second;
  }
  auto index = static_cast<uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  slots_[index] = Slot{.id = id, .watches = 1};
  by_id_.emplace(slots_[index].id, index);
  return index;
}

void WatchedSite::Remove(uint32_t index) {
  Slot& slot = slots_[index];
  VIEWCOUNT_CHECK(slot.watches > 0);
  if (--slot.watches > 0) return;
  by_id_.erase(slot.id);
  slot = Slot();
  free_.push_back(index);
}

WatchedSite::Piece WatchedSite::NextPiece(uint32_t& from) const {
  Piece piece;
  for (; from < slots_.size() && piece.ids.size() < limits::kGetCountsArticlesMax; ++from) {
    if (slots_[from].watches == 0) continue;
    piece.slots.push_back(from);
    piece.ids.push_back(slots_[from].id);
  }
  return piece;
}

bool WatchedSite::Update(const Piece& piece, const Counts& counts, uint64_t read_number, uint64_t version) {
  bool changed = false;
  for (size_t i = 0; i < piece.slots.size(); ++i) {
    if (piece.slots[i] >= slots_.size()) continue;
    Slot& slot = slots_[piece.slots[i]];
    if (slot.id != piece.ids[i] || slot.read_number >= read_number) continue;
    const ArticleTotals& totals = counts.totals[i];
    if (slot.changed_version == 0 || slot.totals != totals) {
      slot.totals = totals;
      slot.changed_version = version;
      changed = true;
    }
    slot.read_number = read_number;
    slot.as_of_unix_ms = counts.as_of_unix_ms;
  }
  return changed;
}

bool WatchedSite::UpdateTotal(const SiteTotal& total, uint64_t read_number, uint64_t version) {
  if (total_.read_number >= read_number) return false;
  const bool changed = total_.changed_version == 0 || total_.views != total.views || total_.visits != total.visits;
  total_ = {.views = total.views,
            .visits = total.visits,
            .changed_version = changed ? version : total_.changed_version,
            .read_number = read_number,
            .as_of_unix_ms = total.as_of_unix_ms};
  return changed;
}

}  // namespace viewcount
