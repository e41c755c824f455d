// An interface that receives every move of a shard's cursor and moves the ledger's copy of the cursor.
#pragma once

#include <cstdint>
#include <span>

#include "service/lane/ledger.h"

namespace viewcount {

// Receives the moves of cursors from a Flusher, on the executor's thread. The implementation must call
// `ledger.SetCursor(shard, cursor)`. For its own readers this must happen in the same step as the change of the counts
// that it remembers. A view is then always either pending or in a remembered count, never both and never neither.
class AppliedListener {
 public:
  virtual ~AppliedListener() = default;
  // The articles are now in the store, up to `cursor`. `articles` are indexes into the chunk's articles.
  virtual void Applied(Ledger& ledger, Shard shard, const Cursor& cursor, const Chunk& chunk,
                       std::span<const uint32_t> articles) = 0;
  // The store's cursor is not where it was left. Counts of the shard may have become smaller.
  virtual void Rewound(Ledger& ledger, Shard shard, const Cursor& cursor) = 0;
};

// A listener for a ledger without readers: it only moves the ledger's cursor. Thread-safe.
class LedgerListener final : public AppliedListener {
 public:
  void Applied(Ledger& ledger, Shard shard, const Cursor& cursor, const Chunk&, std::span<const uint32_t>) override {
    ledger.SetCursor(shard, cursor);
  }
  void Rewound(Ledger& ledger, Shard shard, const Cursor& cursor) override { ledger.SetCursor(shard, cursor); }
};

}  // namespace viewcount
