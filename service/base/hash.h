// The hash that decides in which shard an article is stored. XXH3 is stable since xxHash 0.8.0, so stored data may
// depend on it.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstdint>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

inline uint64_t Hash64(std::string_view bytes, uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

// Returns the hash of an article within its site. `site_seed` is Hash64 of the site's name.
inline uint64_t ArticleHash(uint64_t site_seed, std::string_view article_id) { return Hash64(article_id, site_seed); }

// Returns the shard of an article. It takes the top bits of the hash, which leaves the low bits for hash tables. The
// mapping is part of the store's format and never changes for a data set.
inline Shard ShardOf(uint64_t article_hash) {
  return Shard{static_cast<uint8_t>(article_hash >> (64 - std::bit_width(limits::kShards - 1)))};
}

}  // namespace viewcount
