// A site as a journal or the store has it.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "service/sites/site.h"

namespace viewcount {

// A site with settings that were accepted once and stand in a journal or in the store. Earlier versions accepted time
// zones that IsZoneName refuses; they stay usable. Errors as of MakeSite.
absl::StatusOr<Site> MakeStoredSite(std::string_view name, SiteSettings settings);

}  // namespace viewcount
