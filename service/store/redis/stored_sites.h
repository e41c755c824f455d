// Sites and their aliases in Redis: see KEYS.md. All functions are pure, and so thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/store/redis/reply.h"
#include "service/store/site_store.h"

namespace viewcount {

// Converts the contents of `vc:sites` and `vc:aliases`. Leaves out an alias that viewcount did not write, or whose site
// is missing.
std::vector<StoredSite> StoredSitesOf(const Reply& sites, const Reply& aliases);
// Returns field and value for `vc:sites`.
std::vector<std::string> SiteWords(const StoredSite& site);
// Returns fields and values for `vc:aliases`, alternating.
std::vector<std::string> AliasWords(std::string_view site, const AliasEntries& aliases);

}  // namespace viewcount
