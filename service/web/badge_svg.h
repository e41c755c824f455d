// An article's count as a small picture: a label, and the number beside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/web/svg_text.h"

namespace viewcount {

struct BadgeOptions {
  // Any bytes; may be empty.
  std::string_view label = "views";
  uint64_t count = 0;
  Theme theme = Theme::kAuto;
};

// A whole SVG document, as wide as its text, without script or reference to anything outside. Pure; thread safe.
std::string BadgeSvg(const BadgeOptions& options);

}  // namespace viewcount
