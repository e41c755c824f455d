// Tests the content of an odometer. tests/integration/svg_test.py tests that every output is XML.
#include "service/web/odometer_svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace viewcount {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr OdometerStyle kStyles[] = {OdometerStyle::kClassic, OdometerStyle::kFlat, OdometerStyle::kPlain};

// Returns the digits from left to right.
std::string Shown(const std::string& svg) {
  static const std::regex kDigit(
      "<text x=\"[0-9]+\" y=\"[0-9.]+\" (?:fill=\"#fff\"|class=\"vc-digit\")>([0-9])</text>");
  std::string digits;
  for (std::sregex_iterator at(svg.begin(), svg.end(), kDigit), end; at != end; ++at) digits += (*at)[1];
  return digits;
}

int Count(const std::string& svg, const std::string& what) {
  int count = 0;
  for (size_t at = svg.find(what); at != std::string::npos; at = svg.find(what, at + 1)) ++count;
  return count;
}

int OdometerWidthOf(const std::string& svg) {
  std::smatch match;
  EXPECT_TRUE(std::regex_search(svg, match, std::regex(" width=\"([0-9]+)\"")));
  return std::stoi(match[1]);
}

TEST(OdometerSvg, ShorterNumbersHaveZerosBefore) {
  for (const OdometerStyle style : kStyles) {
    EXPECT_EQ(Shown(OdometerSvg({.value = 3'933, .style = style})), "00003933");
    EXPECT_EQ(Shown(OdometerSvg({.value = 0, .digits = 1, .style = style})), "0");
    EXPECT_EQ(Shown(OdometerSvg({.value = 37'456'821, .digits = 16, .style = style})), "0000000037456821");
  }
}

TEST(OdometerSvg, LongerNumbersAreShownWhole) {
  for (const OdometerStyle style : kStyles) {
    EXPECT_EQ(Shown(OdometerSvg({.value = 37'456'821, .digits = 3, .style = style})), "37456821");
    EXPECT_EQ(Shown(OdometerSvg({.value = ~uint64_t{0}, .style = style})), "18446744073709551615");
  }
}

TEST(OdometerSvg, IsAsWideAsItsDigits) {
  for (const OdometerStyle style : kStyles) {
    int before = 0;
    int step = 0;
    for (uint32_t digits = 1; digits <= 16; ++digits) {
      const int width = OdometerWidthOf(OdometerSvg({.value = 1, .digits = digits, .style = style}));
      if (digits == 3) step = width - before;
      if (digits > 3) {
        EXPECT_EQ(width - before, step);
      }
      EXPECT_GT(width, before);
      before = width;
    }
  }
}

TEST(OdometerSvg, ClassicAndFlatHaveAWheelForEachDigit) {
  EXPECT_EQ(Count(OdometerSvg({.digits = 6}), "url(#vc-wheel)"), 6);
  EXPECT_EQ(Count(OdometerSvg({.digits = 6, .style = OdometerStyle::kFlat}), "class=\"vc-tile\""), 6);
  EXPECT_EQ(Count(OdometerSvg({.digits = 6, .style = OdometerStyle::kPlain}), "<rect"), 0);
}

TEST(OdometerSvg, ScreenReadersGetTitleAndNumber) {
  const std::string svg = OdometerSvg({.value = 37'456'821, .title = "Lượt truy cập:"});
  EXPECT_THAT(svg, HasSubstr("role=\"img\" aria-label=\"Lượt truy cập: 37,456,821\""));
  EXPECT_THAT(svg, HasSubstr("<title>Lượt truy cập: 37,456,821</title>"));
  EXPECT_THAT(OdometerSvg({.value = 7}), HasSubstr("aria-label=\"7\""));
}

TEST(OdometerSvg, TitlesAreInert) {
  const std::string svg = OdometerSvg({.title = "</title><script>alert(1)</script>\" onload=\"alert(2)\x01\xFF"});
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("\" onload")));
  EXPECT_THAT(svg, HasSubstr("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;alert(2) 0"));
}

TEST(OdometerSvg, RefersToNothingOutside) {
  for (const OdometerStyle style : kStyles) {
    for (const Theme theme : {Theme::kAuto, Theme::kLight, Theme::kDark}) {
      std::string svg = OdometerSvg({.style = style, .theme = theme});
      EXPECT_THAT(svg, StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
      EXPECT_THAT(svg, EndsWith("</svg>"));
      EXPECT_EQ(Count(svg, "http"), 1) << "its name space only";
      EXPECT_EQ(Count(svg, "url("), Count(svg, "url(#vc-"));
      for (const char* foreign : {"href", "<script", "@import", "@font-face", "<image", "<foreignObject"}) {
        EXPECT_THAT(svg, Not(HasSubstr(foreign)));
      }
      EXPECT_EQ(Count(svg, "prefers-color-scheme:dark"), theme == Theme::kAuto ? 1 : 0);
    }
  }
}

TEST(OdometerSvgDeathTest, WheelsAreCounted) {
  EXPECT_DEATH((void)OdometerSvg({.digits = 0}), "digits");
  EXPECT_DEATH((void)OdometerSvg({.digits = 17}), "digits");
}

}  // namespace
}  // namespace viewcount
