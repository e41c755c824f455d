// The hash that decides where an article lives. XXH3 is stable since xxHash 0.8.0, so stored data may depend on it.
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

// The hash of an article within its site; `site_seed` is Hash64 of the site's name.
inline uint64_t ArticleHash(uint64_t site_seed, std::string_view article_id) { return Hash64(article_id, site_seed); }

// The shard of an article: the top bits of its hash, so that the low ones are left for tables. Part of the store's
// format: it never changes for a data set.
inline Shard ShardOf(uint64_t article_hash) {
  return Shard{static_cast<uint8_t>(article_hash >> (64 - std::bit_width(limits::kShards - 1)))};
}

}  // namespace viewcount
