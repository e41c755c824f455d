// An interface through which the flusher tells readers that a shard's cursor moves.
#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <span>

#include "service/base/identifiers.h"
#include "service/lane/chunk.h"

namespace viewcount {

// Receives the moves of one or more flushers' cursors, each on its flusher's executor. Every function must call `move`
// exactly once before it returns, and must not keep it. The call makes the new cursor visible to readers.
//
// A listener that remembers counts must change them and call `move` in one critical section of its readers. A view is
// then always either pending or in a remembered count, never both and never neither.
class AppliedListener {
 public:
  // Moves the cursor of the shard in the flusher's ledger. It locks the ledger, so the listener must not hold that
  // lock.
  using Move = absl::FunctionRef<void()>;

  virtual ~AppliedListener() = default;
  // The articles are now in the store, up to the new cursor. `articles` are indexes into the chunk's articles.
  virtual void Applied(Shard shard, Move move, const Chunk& chunk, std::span<const uint32_t> articles) = 0;
  // The store's cursor is not where it was left. Counts of the shard may have become smaller.
  virtual void Rewound(Shard shard, Move move) = 0;
};

}  // namespace viewcount
