// Text that others chose, in pictures: made harmless, and measured. Pure functions; thread safe.
#pragma once

#include <string>
#include <string_view>

namespace viewcount {

// How a picture's colours follow the reader: as their system prefers, or fixed.
enum class Theme { kAuto, kLight, kDark };

// `text` as it may stand in XML, in an element or a quoted attribute. Control characters are left out, and so is what
// XML or UTF-8 does not allow.
std::string EscapedXml(std::string_view text);

// How wide a sans-serif font of the browser's choice writes it, in units of the font's size, roughly: SVG's textLength
// makes up for the rest. Counts what EscapedXml keeps.
double TextWidth(std::string_view text);

// A style sheet of what looks different in light and dark surroundings. For kAuto both, chosen by the reader's system.
std::string ThemedStyle(Theme theme, std::string_view light, std::string_view dark);

}  // namespace viewcount
