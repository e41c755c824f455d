#include "service/base/unknown_name.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace viewcount {
namespace {

constexpr std::array<std::string_view, 4> kKnown = {"window.day", "window.allTime", "pageSize", "section"};

TEST(UnknownName, NearestNameTakesTheFewestChanges) {
  EXPECT_EQ(NearestName("pagesize", kKnown), "pageSize");
  EXPECT_EQ(NearestName("page_size", kKnown), "pageSize");
  EXPECT_EQ(NearestName("window.last", kKnown), "window.day");
  EXPECT_EQ(NearestName("window.all_time", kKnown), "window.allTime");
  EXPECT_EQ(NearestName("sections", kKnown), "section");
  EXPECT_EQ(NearestName("selection", kKnown), "section");
  EXPECT_EQ(NearestName("section", kKnown), "section");
}

TEST(UnknownName, AnyTextIsNearToSomething) {
  EXPECT_EQ(NearestName("", kKnown), "section");
  EXPECT_FALSE(NearestName(std::string(1 << 16, '\xFF'), kKnown).empty());
  EXPECT_NE(UnknownName(std::string(1 << 20, '\xFF'), kKnown).find("did you mean"), std::string::npos);
  EXPECT_EQ(NearestName("section", {}), "");
}

TEST(UnknownName, ADistanceThatIsTooLargeIsNoSuggestion) {
  EXPECT_EQ(NearestName("sectoin", kKnown, 2), "section");
  EXPECT_EQ(NearestName("sectoin", kKnown, 1), "");
  EXPECT_EQ(NearestName(std::string(1'000, 's'), kKnown, 333), "");
}

TEST(UnknownName, DescriptionNamesTheNearestAndAll) {
  EXPECT_EQ(UnknownName("pagesize", kKnown),
            "is not known; did you mean pageSize? Known are window.day, window.allTime, pageSize, section");
  EXPECT_EQ(UnknownName("x", {}), "is not known; none is");
}

}  // namespace
}  // namespace viewcount
