// Renders the site's odometer: its views on digit wheels, as portals show them in a corner of the page.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/web/digit_grouping.h"
#include "service/web/svg_text.h"

namespace viewcount {

enum class OdometerStyle {
  // White digits on dark wheels behind a frame.
  kClassic,
  // A plain tile for each digit.
  kFlat,
  // Only digits, on the page's own background.
  kPlain,
};

struct OdometerOptions {
  uint64_t value = 0;
  // The minimum number of digits, 1 to limits::kOdometerDigitsMax. Shorter numbers get leading zeros, longer ones are
  // shown completely.
  uint32_t digits = 8;
  OdometerStyle style = OdometerStyle::kClassic;
  Theme theme = Theme::kAuto;
  // The text that screen readers speak before the number. May contain any bytes. May be empty.
  std::string_view title;
  // How the spoken number is grouped.
  DigitGrouping grouping;
};

// Returns a complete SVG document without scripts and external references. Pure function; thread-safe.
std::string OdometerSvg(const OdometerOptions& options);

}  // namespace viewcount
