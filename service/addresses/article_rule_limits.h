// The limits of a site's rule for addresses.
#pragma once

#include <cstddef>

namespace viewcount::limits {

// The number of entries in each list of a site's rule: parameters, index names, excluded paths, extensions.
inline constexpr size_t kArticleRuleEntriesMax = 64;
// The size of an entry. Paths may have the size of an article ID.
inline constexpr size_t kArticleRuleNameBytesMax = 64;
// The size of an address that is turned into an article ID. Proxies take addresses of about 8 KiB.
inline constexpr size_t kAddressBytesMax = 16 << 10;

}  // namespace viewcount::limits
