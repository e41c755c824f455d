#include "service/query/pending_since.h"

#include <algorithm>
#include <limits>

namespace viewcount {
namespace {

// Stands for a lane whose chunks are not known: no chunk begins at or after it.
constexpr Position kNoPosition{std::numeric_limits<uint64_t>::max()};

}  // namespace

int64_t LedgerMoment::FoldedSince(std::span<Ledger* const> ledgers, SiteIndex site) const {
  int64_t sum = 0;
  for (size_t lane = 0; lane < ledgers.size(); ++lane) {
    sum += ledgers[lane]->Lock().Folded(site) - folded[lane];
  }
  return sum;
}

std::vector<int64_t> FoldedNow(std::span<Ledger* const> ledgers, SiteIndex site) {
  std::vector<int64_t> folded;
  for (const Ledger* ledger : ledgers) folded.push_back(ledger->Lock().Folded(site));
  return folded;
}

std::vector<Position> SinceNow(std::span<Ledger* const> ledgers, const Site& site) {
  const ShardCursors cursors;
  std::vector<Position> since;
  for (const Ledger* ledger : ledgers) {
    Ledger::Snapshot mark = ledger->TakeSnapshot();
    const auto held = ledger->HoldPending(mark, cursors, site, kNoWindows);
    if (!held) {
      since.push_back(kNoPosition);
      continue;
    }
    const Chunk& open = held->open();
    if (open.articles().size() == 0) {
      since.push_back(open.from());
    } else {
      // The next chunk begins at or after this chunk's end. If the end is also the beginning, only a later position
      // excludes this chunk, whose views are not durable yet.
      since.push_back(open.to() > open.from() ? open.to() : Position{open.to().value + 1});
    }
  }
  return since;
}

bool FindSince(const Ledger& ledger, Position since, ChunksSince& found) {
  found.mark = ledger.TakeSnapshot();
  if (found.mark.open_from < since) return false;
  Position before;
  for (const SealedChunk& sealed : found.mark.sealed) {
    if (sealed.chunk->from() < since) before = std::max(before, sealed.chunk->to());
  }
  found.cursors.fill(Cursor::End(before));
  return true;
}

}  // namespace viewcount
