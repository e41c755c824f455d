// Sites as a journal or the store holds them.
#pragma once

#include <absl/status/statusor.h>

#include <string_view>

#include "service/sites/site.h"

namespace viewcount {

// Creates a site from settings of a journal or of the store, which were accepted once. Earlier versions accepted time
// zones that IsZoneName refuses; these stay usable. Returns the errors of MakeSite.
absl::StatusOr<Site> MakeStoredSite(std::string_view name, SiteSettings settings);

}  // namespace viewcount
