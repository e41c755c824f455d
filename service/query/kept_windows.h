// Whether the hours and days that a request has read are complete.
#pragma once

#include <cstdint>
#include <span>

#include "service/model/window.h"
#include "service/sites/site.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// Returns whether every hour and day is kept at a time, Unix milliseconds. If so after a read, nothing was removed
// before or during it. Pass the present settings of the site. Thread-safe.
bool AreKept(std::span<const Window> windows, const Site& site, int64_t now_unix_ms);
// Like AreKept with the present settings of `site` in `sites`.
bool AreKept(std::span<const Window> windows, const SiteDirectory& sites, const Site& site, int64_t now_unix_ms);

}  // namespace viewcount
