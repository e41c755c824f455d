// The names of all keys in Redis. service/store/redis/KEYS.md describes what the keys hold. All functions are
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/model/window.h"
#include "service/store/viewer_set.h"

namespace viewcount::keys {

inline constexpr std::string_view kMeta = "vc:meta";
inline constexpr std::string_view kSites = "vc:sites";
inline constexpr std::string_view kAliases = "vc:aliases";
inline constexpr std::string_view kSalts = "vc:salts";
inline constexpr std::string_view kAlerts = "vc:alerts";
inline constexpr std::string_view kAlertStates = "vc:alert-states";

// Returns a key such as vc:{07}:lanes.
std::string Lanes(Shard shard);
// Returns a key such as vc:{07}:totals.
std::string Totals(Shard shard);
// Returns a key such as vc:{07}:SITE:adjustments.
std::string Notes(Shard shard, std::string_view site);
// Returns a key such as vc:{07}:SITE:imports.
std::string Imports(Shard shard, std::string_view site);
// Returns a key such as vc:{07}:SITE:articles.
std::string Articles(Shard shard, std::string_view site);
// Returns a key such as vc:{07}:SITE:pages.
std::string PageArticles(Shard shard, std::string_view site);
// Returns a key such as vc:{07}:SITE:annotations.
std::string Annotations(Shard shard, std::string_view site);
// Returns a key such as vc:{07}:SITE:published.
std::string Publications(Shard shard, std::string_view site);
// Returns vc:{07}:SITE:all, …:d:20261122, …:h:2026112213, …:bots, …:visits or …:visits:d:20261122. The window must not
// be kViewers.
std::string Counts(Shard shard, std::string_view site, Window window);
// Returns vc:{07}:SITE:viewers:a:ARTICLE, …:all, …:d:20261122 or …:o:12345.
std::string Viewers(Shard shard, std::string_view site, const ViewerSetName& set);
// Returns the window of a name such as `all`, `d:20261122` or `h:2026112213`; nothing for any other text.
std::optional<Window> WindowOfName(std::string_view name);
// Returns a key such as vc:{07}:SITE:top:all; empty for a window without a ranking.
std::string Ranking(Shard shard, std::string_view site, Window window);

}  // namespace viewcount::keys
