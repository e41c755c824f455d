// Tests that text from strangers cannot leave its place in a picture.
#include "service/web/svg_text.h"

#include <gtest/gtest.h>

namespace viewcount {
namespace {

TEST(SvgText, MarkupBecomesText) {
  EXPECT_EQ(EscapedXml("<script>alert('1' & \"2\")</script>"),
            "&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;");
  EXPECT_EQ(EscapedXml("&amp;"), "&amp;amp;");
  EXPECT_EQ(EscapedXml("]]>"), "]]&gt;");
}

TEST(SvgText, LettersOfAllKindsStay) {
  for (const char* text :
       {"", "views", "lượt xem", "số người", "ビュー", "просмотров", "مشاهدات", "👀 views", "\u00A0"}) {
    EXPECT_EQ(EscapedXml(text), text);
  }
}

TEST(SvgText, ControlCharactersAreLeftOut) {
  for (int c = 0; c < 0x20; ++c) EXPECT_EQ(EscapedXml(std::string("a") + static_cast<char>(c) + "b"), "ab") << c;
  EXPECT_EQ(EscapedXml("a\x7F"
                       "b"),
            "ab");
  EXPECT_EQ(EscapedXml("a\u0080\u0085\u009Fb"), "ab");
  EXPECT_EQ(EscapedXml("a\uFFFE\uFFFFb\uFFFD"), "ab\uFFFD");
}

TEST(SvgText, WhatIsNoUtf8IsLeftOut) {
  for (const char* bytes :
       {"\xFF", "\x80", "\xC3", "\xC0\xBC", "\xE0\x80\xBC", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF0\x9F\x91"}) {
    EXPECT_EQ(EscapedXml(std::string("a") + bytes + "<b"), "a&lt;b");
  }
  EXPECT_EQ(EscapedXml("\xC3"), "") << "cut off at the end";
}

TEST(SvgText, WidthsAreThoseOfWhatIsKept) {
  EXPECT_EQ(TextWidth(""), 0);
  EXPECT_NEAR(TextWidth("0123456789"), 6.0, 0.01);
  EXPECT_LT(TextWidth("iiii"), TextWidth("mmmm"));
  EXPECT_EQ(TextWidth("a\x01\xFF\u0085"
                      "b"),
            TextWidth("ab"));
  EXPECT_EQ(TextWidth("e\u0301"), TextWidth("e")) << "a mark stands above its letter";
  EXPECT_GT(TextWidth("見る"), TextWidth("ab"));
  EXPECT_EQ(TextWidth("&"), TextWidth("&")) << "as it is seen, not as it is escaped";
  EXPECT_LT(TextWidth("&"), 1);
}

TEST(SvgText, OnlyAutoAsksTheReadersSystem) {
  EXPECT_EQ(ThemedStyle(Theme::kLight, "L", "D"), "<style>L</style>");
  EXPECT_EQ(ThemedStyle(Theme::kDark, "L", "D"), "<style>D</style>");
  EXPECT_EQ(ThemedStyle(Theme::kAuto, "L", "D"), "<style>L@media (prefers-color-scheme:dark){D}</style>");
}

}  // namespace
}  // namespace viewcount
