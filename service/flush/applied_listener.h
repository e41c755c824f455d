// Who is told that a shard's cursor moved, and moves the ledger's copy of it.
#pragma once

#include <cstdint>
#include <span>

#include "service/lane/ledger.h"

namespace viewcount {

// The implementation must call `ledger.SetCursor(shard, cursor)`, at the same moment for its own readers as it takes
// note of the counts: a view is either pending or in a count it remembers, never both nor neither.
class AppliedListener {
 public:
  virtual ~AppliedListener() = default;
  // `articles` (indexes into the chunk's) are now in the store, up to `cursor`.
  virtual void Applied(Ledger& ledger, Shard shard, const Cursor& cursor, const Chunk& chunk,
                       std::span<const uint32_t> articles) = 0;
  // The shard is not where it was left: counts of it may have become smaller.
  virtual void Rewound(Ledger& ledger, Shard shard, const Cursor& cursor) = 0;
};

// For a ledger that nobody reads.
class LedgerListener final : public AppliedListener {
 public:
  void Applied(Ledger& ledger, Shard shard, const Cursor& cursor, const Chunk&, std::span<const uint32_t>) override {
    ledger.SetCursor(shard, cursor);
  }
  void Rewound(Ledger& ledger, Shard shard, const Cursor& cursor) override { ledger.SetCursor(shard, cursor); }
};

}  // namespace viewcount
