// Parameters that tell where a reader came from. They never name an article.
#pragma once

#include <string_view>

namespace viewcount {

// Returns true for the name of a parameter that campaigns, networks, mailings or sessions add to an address, such as
// utm_source and fbclid. Compares without case. Pure function; thread-safe.
bool IsCampaignParameter(std::string_view name);

}  // namespace viewcount
