#include "client/cli/report_chart.h"

#include <fmt/format.h>

#include <algorithm>

#include "service/web/svg_text.h"

namespace viewcount::cli {
namespace {

// The size of the picture and of the bars in it, in units of the picture.
constexpr double kChartWidth = 720;
constexpr double kChartHeight = 220;
constexpr double kPlotLeft = 70;
constexpr double kPlotTop = 10;
constexpr double kPlotHeight = 180;
constexpr double kPlotWidth = kChartWidth - kPlotLeft;
// The part of a point's width that its bar has.
constexpr double kBarPart = 0.8;
// The number of points with a text below them.
constexpr size_t kTickLabelsMax = 6;
constexpr uint64_t kGridLines = 4;

// Returns a number of at least `most` that divides into round grid lines.
uint64_t TopOfGrid(uint64_t most) {
  uint64_t step = 1;
  for (;;) {
    for (const uint64_t factor : {uint64_t{1}, uint64_t{2}, uint64_t{5}}) {
      if (factor * step * kGridLines >= most) return factor * step * kGridLines;
    }
    step *= 10;
  }
}

std::string Grid(uint64_t top, const ReportFormatter& format) {
  std::string svg;
  for (uint64_t line = 0; line <= kGridLines; ++line) {
    const double y = kPlotTop + kPlotHeight * static_cast<double>(kGridLines - line) / kGridLines;
    svg += fmt::format(
        "<line x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/><text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>\n",
        kPlotLeft, y, kChartWidth, y, kPlotLeft - 6, y + 4, format.Number(top / kGridLines * line));
  }
  return svg;
}

}  // namespace

std::string ReportChart(const Report& report, const ReportFormatter& format) {
  if (report.points.empty()) return "";
  uint64_t most = 1;
  for (const auto& point : report.points) most = std::max(most, point.views);
  const uint64_t top = TopOfGrid(most);
  const double step = kPlotWidth / static_cast<double>(report.points.size());
  const size_t every = (report.points.size() + kTickLabelsMax - 1) / kTickLabelsMax;
  const auto& words = format.words();
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kChartWidth,
                                kChartHeight, EscapedXml(report.by_hour ? words.by_hour : words.by_day));
  svg += Grid(top, format);
  for (size_t i = 0; i < report.points.size(); ++i) {
    const ReportPoint& point = report.points[i];
    const double left = kPlotLeft + static_cast<double>(i) * step;
    const double height = kPlotHeight * static_cast<double>(point.views) / static_cast<double>(top);
    const std::string label = EscapedXml(format.Point(point.start));
    svg +=
        fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"><title>{}: {}</title></rect>\n",
                    left + step * (1 - kBarPart) / 2, kPlotTop + kPlotHeight - height, step * kBarPart, height, label,
                    format.Number(point.views));
    if (i % every == 0) {
      svg += fmt::format("<text x=\"{:.2f}\" y=\"{}\">{}</text>\n", left, kPlotTop + kPlotHeight + 18, label);
    }
  }
  return svg + "</svg>\n";
}

}  // namespace viewcount::cli
