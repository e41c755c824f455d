// Where a chunk's articles are, by hash: an open-addressing table for each shard.
//
// A look-up is one line of the table. Growing moves the entries of one shard, in order, without a look at the articles,
// and the shards grow at different fill levels, so that no view waits long for a table of millions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "service/base/hash.h"
#include "service/lane/block_pool.h"

namespace viewcount {

// One thread writes; reading is for any thread while nobody writes.
class ArticleIndex {
 public:
  // What Find returns for what is not there; no entry has this value.
  static constexpr uint32_t kNone = 0;

  // Begins with room for `expected` articles, shard by shard when it is first needed. `pool` must outlive it.
  ArticleIndex(BlockPool& pool, size_t expected);
  ArticleIndex(const ArticleIndex&) = delete;
  ArticleIndex& operator=(const ArticleIndex&) = delete;
  ~ArticleIndex();

  // Begins to fetch what Find will read.
  void Prefetch(uint64_t hash) const {
    const Table& table = TableOf(hash);
    __builtin_prefetch(&table.slots[table.HomeOf(TagOf(hash))]);
  }
  // The first entry of this hash, or of one that resembles it, for which `is_it(value)` is true.
  template <typename IsIt>
  uint32_t Find(uint64_t hash, IsIt is_it) const {
    const Table& table = TableOf(hash);
    const uint32_t tag = TagOf(hash);
    for (size_t at = table.HomeOf(tag);; at = (at + 1) & table.mask) {
      const Slot& slot = table.slots[at];
      if (slot.value == kNone) return kNone;
      if (slot.tag == tag && is_it(slot.value)) return slot.value;
    }
  }
  // Adds an entry that is not there yet.
  void Add(uint64_t hash, uint32_t value) {
    Table& table = tables_[ShardOf(hash).value];
    if (table.used >= table.used_max) Grow(ShardOf(hash));
    Put(table, {TagOf(hash), value});
    ++table.used;
  }

  size_t bytes() const { return bytes_; }

 private:
  // A place in a table: the bits of the hash behind the shard's, and the entry (kNone: free).
  struct Slot {
    uint32_t tag = 0;
    uint32_t value = kNone;
  };
  struct Table {
    Slot* slots = &no_slot_;
    size_t mask = 0;
    // Of a tag, to its place: the high bits, so that growing keeps the order.
    uint32_t shift = 32;
    uint32_t used = 0;
    // There is always a free slot, where a search ends.
    uint32_t used_max = 0;

    size_t HomeOf(uint32_t tag) const { return uint64_t{tag} >> shift; }
  };
  // What a table without any slots looks at; never written.
  static Slot no_slot_;

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> (32 - kShardBits)); }
  const Table& TableOf(uint64_t hash) const { return tables_[ShardOf(hash).value]; }
  static void Put(Table& table, const Slot& slot) {
    size_t at = table.HomeOf(slot.tag);
    while (table.slots[at].value != kNone) at = (at + 1) & table.mask;
    table.slots[at] = slot;
  }
  void Grow(Shard shard);
  void Free(const Table& table);

  static constexpr int kShardBits = std::bit_width(limits::kShards - 1);

  BlockPool& pool_;
  const size_t first_slots_;
  std::array<Table, limits::kShards> tables_;
  size_t bytes_ = 0;
};

}  // namespace viewcount
