#include "service/web/odometer_svg.h"

#include <fmt/format.h>

#include <iterator>

#include "service/base/check.h"
#include "service/base/limits.h"

namespace viewcount {
namespace {

// The dimensions of an odometer, in pixels.
struct Shape {
  int wheel_width = 0;
  int height = 0;
  int gap = 0;
  // The distance between the outermost wheels and the picture's edge.
  int border = 0;
  int font_size = 0;
};

Shape ShapeOf(OdometerStyle style) {
  switch (style) {
    case OdometerStyle::kClassic:
      return {.wheel_width = 22, .height = 40, .gap = 2, .border = 5, .font_size = 22};
    case OdometerStyle::kFlat:
      return {.wheel_width = 22, .height = 32, .gap = 3, .border = 0, .font_size = 19};
    case OdometerStyle::kPlain:
      break;
  }
  return {.wheel_width = 14, .height = 28, .gap = 0, .border = 1, .font_size = 20};
}

// The frame is lit from above. Wheels are brightest in the middle, so that they look round.
constexpr std::string_view kClassicGradients =
    R"(<linearGradient id="vc-frame" x2="0" y2="1"><stop class="vc-f0"/><stop class="vc-f1" offset="1"/></linearGradient>)"
    R"(<linearGradient id="vc-wheel" x2="0" y2="1"><stop stop-color="#050505"/><stop offset=".2" stop-color="#222"/>)"
    R"(<stop offset=".5" stop-color="#4a4a4a"/><stop offset=".8" stop-color="#222"/><stop offset="1" stop-color="#050505"/>)"
    R"(</linearGradient>)";

std::string StyleOf(OdometerStyle style, Theme theme) {
  switch (style) {
    case OdometerStyle::kClassic:
      return ThemedStyle(theme, ".vc-f0{stop-color:#f4f5f6}.vc-f1{stop-color:#9aa0a6}.vc-edge{stroke:#7d838a}",
                         ".vc-f0{stop-color:#5a5f66}.vc-f1{stop-color:#2a2d31}.vc-edge{stroke:#6b7178}");
    case OdometerStyle::kFlat:
      return ThemedStyle(theme, ".vc-tile{fill:#e8ebef}.vc-digit{fill:#1f2328}",
                         ".vc-tile{fill:#2d333b}.vc-digit{fill:#e6edf3}");
    case OdometerStyle::kPlain:
      break;
  }
  return ThemedStyle(theme, ".vc-digit{fill:#1f2328}", ".vc-digit{fill:#e6edf3}");
}

void AppendFrame(const Shape& shape, int width, std::string& svg) {
  svg += kClassicGradients;
  fmt::format_to(std::back_inserter(svg),
                 R"svg(<rect class="vc-edge" x=".5" y=".5" width="{}" height="{}" rx="4" fill="url(#vc-frame)"/>)svg"
                 R"(<rect x="{}" y="{}" width="{}" height="{}" rx="1" fill="#000"/>)",
                 width - 1, shape.height - 1, shape.border - 1, shape.border - 1, width - 2 * shape.border + 2,
                 shape.height - 2 * shape.border + 2);
}

void AppendWheel(const Shape& shape, OdometerStyle style, int x, std::string& svg) {
  const int height = shape.height - 2 * shape.border;
  if (style == OdometerStyle::kClassic) {
    fmt::format_to(std::back_inserter(svg),
                   R"svg(<rect x="{}" y="{}" width="{}" height="{}" rx="1" fill="url(#vc-wheel)"/>)svg", x,
                   shape.border, shape.wheel_width, height);
  } else if (style == OdometerStyle::kFlat) {
    fmt::format_to(std::back_inserter(svg), R"(<rect class="vc-tile" x="{}" width="{}" height="{}" rx="3"/>)", x,
                   shape.wheel_width, height);
  }
}

void AppendDigit(const Shape& shape, OdometerStyle style, int x, char digit, std::string& svg) {
  // In most fonts digits are about 0.72 times as high as the font's size.
  const double baseline = shape.height / 2.0 + 0.36 * shape.font_size;
  const std::string_view fill = style == OdometerStyle::kClassic ? R"(fill="#fff")" : R"(class="vc-digit")";
  fmt::format_to(std::back_inserter(svg), R"(<text x="{}" y="{:.1f}" {}>{}</text>)", x + shape.wheel_width / 2,
                 baseline, fill, digit);
}

}  // namespace

std::string OdometerSvg(const OdometerOptions& options) {
  VIEWCOUNT_CHECK(options.digits >= 1 && options.digits <= limits::kOdometerDigitsMax);
  const std::string digits = fmt::format("{:0{}}", options.value, options.digits);
  const Shape shape = ShapeOf(options.style);
  const int step = shape.wheel_width + shape.gap;
  const int width = static_cast<int>(digits.size()) * step - shape.gap + 2 * shape.border;
  const std::string title = EscapedXml(options.title);
  const std::string spoken = title + (title.empty() ? "" : " ") + Grouped(options.value, options.grouping);
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img" )"
      R"(aria-label="{2}"><title>{2}</title>{3})",
      width, shape.height, spoken, StyleOf(options.style, options.theme));
  if (options.style == OdometerStyle::kClassic) AppendFrame(shape, width, svg);
  fmt::format_to(std::back_inserter(svg),
                 R"(<g font-family="Verdana,DejaVu Sans,Arial,sans-serif" font-size="{}" font-weight="bold" )"
                 R"(text-anchor="middle" aria-hidden="true">)",
                 shape.font_size);
  for (size_t i = 0; i < digits.size(); ++i) {
    const int x = shape.border + static_cast<int>(i) * step;
    AppendWheel(shape, options.style, x, svg);
    AppendDigit(shape, options.style, x, digits[i], svg);
  }
  return svg + "</g></svg>";
}

}  // namespace viewcount
