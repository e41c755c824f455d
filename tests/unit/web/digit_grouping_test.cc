// Tests how numbers are written in languages.
#include "service/web/digit_grouping.h"

#include <gtest/gtest.h>

namespace viewcount {
namespace {

std::string In(std::string_view language, uint64_t number) {
  const auto grouping = DigitGroupingOf(language);
  return grouping ? Grouped(number, *grouping) : "unknown";
}

TEST(DigitGrouping, LanguagesWriteNumbersDifferently) {
  EXPECT_EQ(In("en", 1'234'567), "1,234,567");
  EXPECT_EQ(In("vi", 1'234'567), "1.234.567");
  EXPECT_EQ(In("fr", 1'234'567), "1\u202F234\u202F567");
  EXPECT_EQ(In("ru", 1'234'567), "1\u00A0234\u00A0567");
  EXPECT_EQ(In("hi", 12'345'678), "1,23,45,678");
  EXPECT_EQ(In("es", 1'234), "1234");
  EXPECT_EQ(In("es", 12'345), "12.345");
  for (const char* language : {"en", "vi", "hi", "es"}) {
    EXPECT_EQ(In(language, 0), "0");
    EXPECT_EQ(In(language, 999), "999");
  }
  EXPECT_EQ(In("vi", UINT64_MAX), "18.446.744.073.709.551.615");
}

TEST(DigitGrouping, TagsMayHaveRegions) {
  EXPECT_EQ(In("vi-VN", 1'234), "1.234");
  EXPECT_EQ(In("EN_gb", 1'234), "1,234");
  EXPECT_EQ(In("de", 1'234), "1.234");
  EXPECT_EQ(In("de-CH", 1'234), "1'234");
  EXPECT_EQ(In("es-MX", 1'234), "1,234");
  EXPECT_EQ(In("sr-Latn-RS", 1'234), "1.234");
}

TEST(DigitGrouping, OtherTagsAreUnknown) {
  for (const char* language : {"", "-", " ", "xx", "en de", "v", "fa", "vi2"}) EXPECT_FALSE(DigitGroupingOf(language));
}

}  // namespace
}  // namespace viewcount
