// Removes from a user agent the names of programs in which people read, where the lists of bots take them for bots'.
//
// The lists are made to find crawlers. Some of their patterns are words such as "news" or "feed", and some are names of
// programs that also fetch previews of links. Apps that show pages to people contain the same words. A bot that uses
// such a name usually gives an address as well or calls itself "compatible", so such an agent stays as it is.
#pragma once

#include <string>
#include <string_view>

namespace viewcount {

// Returns the agent for the comparison with bots' patterns. A blank and semicolons take the place of each name, so its
// length stays. In the agents of phones and tablets, the model's name and words for reading apps are replaced as well.
// Any bytes are allowed. Pure function; thread-safe.
std::string WithoutReadersNames(std::string_view agent);

}  // namespace viewcount
