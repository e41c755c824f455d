// Tests the content of a badge, and that its width fits its text.
#include "service/web/badge_svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

namespace viewcount {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

int Number(const std::string& svg, const std::string& expression) {
  std::smatch match;
  EXPECT_TRUE(std::regex_search(svg, match, std::regex(expression))) << expression;
  return match.empty() ? -1 : std::stoi(match[1]);
}
int WidthOf(const std::string& svg) { return Number(svg, " width=\"([0-9]+)\""); }

TEST(BadgeSvg, ShowsLabelAndGroupedCount) {
  const std::string svg = BadgeSvg({.count = 1'234'567});
  EXPECT_THAT(svg, HasSubstr(">views</text>"));
  EXPECT_THAT(svg, HasSubstr(">1,234,567</text>"));
  EXPECT_THAT(svg, HasSubstr("role=\"img\" aria-label=\"views: 1,234,567\"><title>views: 1,234,567</title>"));
}

TEST(BadgeSvg, EachHalfFitsItsText) {
  for (const char* label : {"i", "views", "lượt xem trang này", "ビュー", "WWWWWWWWWWWWWWW"}) {
    const std::string svg = BadgeSvg({.label = label, .count = 1'000});
    const int text = Number(svg, "vc-label\" [^>]*textLength=\"([0-9]+)\"");
    EXPECT_EQ(text, std::lround(TextWidth(label) * 11));
    const int back = Number(svg, "vc-back\" width=\"([0-9]+)\"");
    EXPECT_EQ(back, text + 12) << "6 pixels on each side";
    EXPECT_EQ(Number(svg, "vc-front\" x=\"([0-9]+)\""), back);
    EXPECT_EQ(WidthOf(svg), back + Number(svg, "vc-front\" x=\"[0-9]+\" width=\"([0-9]+)\""));
  }
}

TEST(BadgeSvg, GrowsWithTheCount) {
  int before = 0;
  for (uint64_t count = 1; count < 1'000'000'000'000; count *= 10) {
    const int width = WidthOf(BadgeSvg({.count = count}));
    EXPECT_GT(width, before);
    before = width;
  }
  EXPECT_THAT(BadgeSvg({.count = ~uint64_t{0}}), HasSubstr(">18,446,744,073,709,551,615</text>"));
}

TEST(BadgeSvg, WithoutALabelThereIsTheCountOnly) {
  for (const char* label : {"", "\x01", "\xFF"}) {
    const std::string svg = BadgeSvg({.label = label, .count = 5});
    EXPECT_THAT(svg, HasSubstr("aria-label=\"5\""));
    EXPECT_THAT(svg, HasSubstr("vc-front\" x=\"0\""));
    EXPECT_THAT(svg, Not(HasSubstr("class=\"vc-label\"")));
  }
}

TEST(BadgeSvg, LabelsAreInert) {
  const std::string svg = BadgeSvg({.label = "<script>alert(1)</script>\" onload=\"x", .count = 5});
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("\" onload")));
  EXPECT_THAT(svg, HasSubstr(">&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x</text>"));
}

TEST(BadgeSvg, OnlyAutoAsksTheReadersSystem) {
  EXPECT_THAT(BadgeSvg({}), HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(BadgeSvg({.theme = Theme::kLight}), Not(HasSubstr("prefers-color-scheme")));
  EXPECT_THAT(BadgeSvg({.theme = Theme::kDark}), Not(HasSubstr("prefers-color-scheme")));
  EXPECT_NE(BadgeSvg({.theme = Theme::kLight}), BadgeSvg({.theme = Theme::kDark}));
}

}  // namespace
}  // namespace viewcount
