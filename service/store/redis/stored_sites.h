// Sites and their aliases as Redis holds them: see KEYS.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// Of everything in `vc:sites` and `vc:aliases`. An alias that nobody of us wrote, or of a site that is not there, is
// left out. Pure functions; thread safe.
std::vector<StoredSite> StoredSitesOf(const Reply& sites, const Reply& aliases);
// Field and value for `vc:sites`.
std::vector<std::string> SiteWords(const StoredSite& site);
// Fields and values for `vc:aliases`, in turn.
std::vector<std::string> AliasWords(std::string_view site, const AliasEntries& aliases);

}  // namespace viewcount
