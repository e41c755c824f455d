// The site's odometer: its views as the digit wheels that portals show in the page's corner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/web/svg_text.h"

namespace viewcount {

enum class OdometerStyle {
  // White digits on dark wheels behind a frame.
  kClassic,
  // A plain tile for each digit.
  kFlat,
  // Digits only, on whatever is behind.
  kPlain,
};

struct OdometerOptions {
  uint64_t value = 0;
  // Zeros go before a shorter number; a longer one is shown whole. 1 to limits::kOdometerDigitsMax.
  uint32_t digits = 8;
  OdometerStyle style = OdometerStyle::kClassic;
  Theme theme = Theme::kAuto;
  // What screen readers say before the number; any bytes. May be empty.
  std::string_view title;
};

// A whole SVG document without script or reference to anything outside. Pure; thread safe.
std::string OdometerSvg(const OdometerOptions& options);

}  // namespace viewcount
