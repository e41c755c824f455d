// Escapes and measures untrusted text for pictures. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace viewcount {

// The colours of a picture: according to the preference of the reader's system, or fixed.
enum class Theme { kAuto, kLight, kDark };

// Returns `text` escaped for an XML element or a quoted attribute. Control characters are removed, as is everything
// that XML or UTF-8 does not allow.
std::string EscapedXml(std::string_view text);

// Returns the approximate width of `text` in a sans-serif font, in units of the font's size. SVG's textLength
// compensates for the difference. Only the characters that EscapedXml keeps are counted.
double TextWidth(std::string_view text);

// Returns a style element for light or dark surroundings. For kAuto it contains both styles, and the reader's system
// selects one.
std::string ThemedStyle(Theme theme, std::string_view light, std::string_view dark);

}  // namespace viewcount
