// Renders an article's count as a small picture: a label, and the number next to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/web/digit_grouping.h"
#include "service/web/svg_text.h"

namespace viewcount {

struct BadgeOptions {
  // May contain any bytes. May be empty.
  std::string_view label = "views";
  uint64_t count = 0;
  DigitGrouping grouping;
  Theme theme = Theme::kAuto;
};

// Returns a complete SVG document that is as wide as its text. It has no scripts and no external references. Pure
// function; thread-safe.
std::string BadgeSvg(const BadgeOptions& options);

}  // namespace viewcount
