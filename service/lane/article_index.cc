#include "service/lane/article_index.h"

#include <algorithm>
#include <bit>

#include "service/base/check.h"

namespace viewcount {
namespace {

constexpr size_t kSlotsMin = 16;
// With more slots a shard would need more tags than exist. A chunk never gets near this size.
constexpr size_t kSlotsMax = size_t{1} << 30;

// Returns the number of entries at which a table of this shard grows: from half to three quarters of its slots. Shards
// fill up at the same rate, and the delay would be noticeable if all of them grew at the same time.
uint32_t UsedMax(size_t slots, Shard shard) {
  return static_cast<uint32_t>(slots / 2 + slots / 4 * shard.value / limits::kShards);
}

}  // namespace

ArticleIndex::Slot ArticleIndex::no_slot_;

ArticleIndex::ArticleIndex(BlockPool& pool, size_t expected)
    : pool_(pool), first_slots_(std::max(kSlotsMin, std::bit_ceil(2 * expected / limits::kShards))) {}

ArticleIndex::~ArticleIndex() {
  for (const Table& table : tables_) Free(table);
}

void ArticleIndex::Free(const Table& table) {
  if (table.slots == &no_slot_) return;
  const size_t bytes = (table.mask + 1) * sizeof(Slot);
  pool_.Give(reinterpret_cast<char*>(table.slots), bytes);
  bytes_ -= bytes;
}

void ArticleIndex::Grow(Shard shard) {
  static_assert(kSlotsMin * sizeof(Slot) >= BlockPool::kBlockBytesMin);
  Table& table = tables_[shard.value];
  const Table old = table;
  const size_t slots = old.slots == &no_slot_ ? first_slots_ : 2 * (old.mask + 1);
  VIEWCOUNT_CHECK(slots <= kSlotsMax);
  const size_t bytes = slots * sizeof(Slot);
  table.slots = reinterpret_cast<Slot*>(pool_.Take(bytes));
  std::fill_n(table.slots, slots, Slot());
  bytes_ += bytes;
  table.mask = slots - 1;
  table.shift = 32 - std::countr_zero(slots);
  table.used_max = UsedMax(slots, shard);
  for (size_t at = 0; at <= old.mask; ++at) {
    if (old.slots[at].value != kNone) Put(table, old.slots[at]);
  }
  Free(old);
}

}  // namespace viewcount
