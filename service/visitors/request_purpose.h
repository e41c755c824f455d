// Recognises requests that a browser makes before a person views the page: prefetched links, prerendered pages,
// previews. They are not views. If the page is then shown, it is requested again or reports the view itself. These are
// pure functions, so they are thread-safe.
#pragma once

#include <array>
#include <string_view>

namespace viewcount {

// The header fields that state the purpose. The first is the structured field of the Fetch standard
// (`prefetch;prerender`, `prefetch;anonymous-client-ip`). The others are fields that browsers sent before the standard.
inline constexpr std::array<std::string_view, 3> kPurposeFields = {"Sec-Purpose", "Purpose", "X-Moz"};

// Returns true if a header field states that the request comes before a view. The field must be one of kPurposeFields.
// One of its value's tokens, or of their parameters, must be `prefetch`, `prerender` or `preview`. Case does not matter
// in either. The time is proportional to the length of the value.
bool IsBeforeView(std::string_view field, std::string_view value);

}  // namespace viewcount
