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

// The numbers of dropped paths, names and values that a rule remembers, in some 100 KB. The public may send anything.
inline constexpr size_t kDroppedPathsMax = 64;
inline constexpr size_t kDroppedNamesMax = 8;
inline constexpr size_t kDroppedValuesMax = 4;

}  // namespace viewcount::limits
