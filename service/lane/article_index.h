// Finds a chunk's articles by hash. The index has one open-addressing hash table for each shard.
//
// Most look-ups read one cache line of the table. Growing moves the entries of one shard in order and does not read the
// articles. The shards grow at different fill levels, so no view waits long for a table of millions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "service/base/hash.h"
#include "service/lane/block_pool.h"

namespace viewcount {

// A hash index from articles to 32-bit values. Not thread-safe: one thread writes; any thread may read while no thread
// writes. The tables' memory comes from a BlockPool and returns to it in the destructor.
class ArticleIndex {
 public:
  // Find returns this value if there is no such entry. No entry has this value.
  static constexpr uint32_t kNone = 0;

  // Creates an index with room for `expected` articles. Each shard allocates its share when it gets its first entry.
  // `pool` must outlive the index.
  ArticleIndex(BlockPool& pool, size_t expected);
  ArticleIndex(const ArticleIndex&) = delete;
  ArticleIndex& operator=(const ArticleIndex&) = delete;
  ~ArticleIndex();

  // Starts to load the cache line that Find will read.
  void Prefetch(uint64_t hash) const {
    const Table& table = TableOf(hash);
    __builtin_prefetch(&table.slots[table.HomeOf(TagOf(hash))]);
  }
  // Returns the first entry with this hash's tag for which `is_it(value)` is true, or kNone. Different hashes can have
  // the same tag, so `is_it` must compare the article itself.
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
  // Adds an entry. The caller must know that the article has no entry yet.
  void Add(uint64_t hash, uint32_t value) {
    Table& table = tables_[ShardOf(hash).value];
    if (table.used >= table.used_max) Grow(ShardOf(hash));
    Put(table, {TagOf(hash), value});
    ++table.used;
  }

  // Returns the memory of all tables in bytes.
  size_t bytes() const { return bytes_; }

 private:
  // One place in a table. `tag` holds the 32 bits of the hash that follow the shard's bits. `value` is the entry; kNone
  // marks a free slot.
  struct Slot {
    uint32_t tag = 0;
    uint32_t value = kNone;
  };
  struct Table {
    Slot* slots = &no_slot_;
    size_t mask = 0;
    // Shifting a tag right by this many bits gives its place. Places come from a tag's high bits, so that growing keeps
    // the order.
    uint32_t shift = 32;
    uint32_t used = 0;
    // The table grows when `used` reaches this. It always keeps a free slot, because a search ends at one.
    uint32_t used_max = 0;

    size_t HomeOf(uint32_t tag) const { return uint64_t{tag} >> shift; }
  };
  // A table without slots points to this slot, which is never written.
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
