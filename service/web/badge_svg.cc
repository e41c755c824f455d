#include "service/web/badge_svg.h"

#include <fmt/format.h>

#include <cmath>

namespace viewcount {
namespace {

// All sizes are in pixels.
constexpr int kHeight = 20;
constexpr int kPadding = 6;
constexpr int kFontSize = 11;
constexpr int kBaseline = 14;

// One half of the badge, with the text in its middle. The text is stretched or compressed to a fixed width, so that it
// fits in any font of the reader.
struct Half {
  std::string text;
  int text_width = 0;
  int x = 0;

  Half(std::string_view content, int at)
      : text(EscapedXml(content)), text_width(static_cast<int>(std::lround(TextWidth(content) * kFontSize))), x(at) {}
  int width() const { return text.empty() ? 0 : text_width + 2 * kPadding; }
  std::string Svg(std::string_view what) const {
    if (text.empty()) return "";
    // A text that consists of combining marks has no width that it could be stretched to.
    const std::string length =
        text_width == 0 ? "" : fmt::format(R"( textLength="{}" lengthAdjust="spacingAndGlyphs")", text_width);
    return fmt::format(R"(<text class="vc-{}" x="{}" y="{}"{}>{}</text>)", what, x + width() / 2.0, kBaseline, length,
                       text);
  }
};

}  // namespace

std::string BadgeSvg(const BadgeOptions& options) {
  const Half label(options.label, 0);
  const Half count(Grouped(options.count, options.grouping), label.width());
  const int width = label.width() + count.width();
  const std::string spoken = label.text + (label.text.empty() ? "" : ": ") + count.text;
  const std::string style = ThemedStyle(
      options.theme, ".vc-back{fill:#e4e7eb}.vc-label{fill:#24292f}.vc-front{fill:#0a5cad}.vc-count{fill:#fff}",
      ".vc-back{fill:#30363d}.vc-label{fill:#e6edf3}.vc-front{fill:#1f6feb}.vc-count{fill:#fff}");
  return fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" )"
      R"(aria-label="{2}"><title>{2}</title>{3}<clipPath id="vc-round"><rect width="{0}" height="{1}" rx="3"/></clipPath>)"
      R"svg(<g clip-path="url(#vc-round)"><rect class="vc-back" width="{4}" height="{1}"/>)svg"
      R"(<rect class="vc-front" x="{4}" width="{5}" height="{1}"/></g>)"
      R"(<g font-family="Verdana,DejaVu Sans,Arial,sans-serif" font-size="{6}" text-anchor="middle" aria-hidden="true">)"
      R"({7}{8}</g></svg>)",
      width, kHeight, spoken, style, label.width(), count.width(), kFontSize, label.Svg("label"), count.Svg("count"));
}

}  // namespace viewcount
