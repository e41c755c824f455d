// Requests that a browser makes before anybody looks, in case somebody will: prefetched links, prerendered pages,
// previews. They are no views; if the page is then shown, it is asked for again or reports by itself. Pure functions;
// thread safe.
#pragma once

#include <array>
#include <string_view>

namespace viewcount {

// The header fields that tell: the one of the Fetch standard, as structured field (`prefetch;prerender`,
// `prefetch;anonymous-client-ip`), and what browsers sent before it.
inline constexpr std::array<std::string_view, 3> kPurposeFields = {"Sec-Purpose", "Purpose", "X-Moz"};

// Whether a header field says so: it is one of kPurposeFields, and one of its value's tokens or of their parameters is
// `prefetch`, `prerender` or `preview`. Case does not matter in either. Takes time in proportion to the value.
bool IsBeforeView(std::string_view field, std::string_view value);

}  // namespace viewcount
