// The names of everything in Redis. service/store/redis/KEYS.md is the page about them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/store/count_store.h"

namespace viewcount::keys {

inline constexpr std::string_view kMeta = "vc:meta";
inline constexpr std::string_view kSites = "vc:sites";

// vc:{07}:lanes
std::string Lanes(Shard shard);
// vc:{07}:SITE:all, …:d:20261122, …:h:2026112213, …:bots
std::string Counts(Shard shard, std::string_view site, Window window);
// vc:{07}:SITE:top:all and so on; empty for a window without a ranking.
std::string Ranking(Shard shard, std::string_view site, Window window);

}  // namespace viewcount::keys
