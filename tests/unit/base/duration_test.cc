#include "service/base/duration.h"

#include <gtest/gtest.h>

namespace viewcount {
namespace {

using std::chrono::milliseconds, std::chrono::seconds, std::chrono::minutes, std::chrono::hours;

TEST(Duration, IsReadWithItsUnit) {
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  EXPECT_EQ(ParseDuration("90s"), seconds(90));
  EXPECT_EQ(ParseDuration("30m"), minutes(30));
  EXPECT_EQ(ParseDuration("12h"), hours(12));
  EXPECT_EQ(ParseDuration("7d"), hours(168));
  EXPECT_EQ(ParseDuration("0s"), milliseconds(0));
  for (const char* text : {"", "s", "5", "5 s", " 5s", "-5s", "+5s", "5S", "5sec", "1.5h", "1000000001s", "0x5s"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(Duration, IsWrittenInTheLargestUnitThatFits) {
  EXPECT_EQ(FormatDuration(milliseconds(0)), "0s");
  EXPECT_EQ(FormatDuration(milliseconds(1'500)), "1500ms");
  EXPECT_EQ(FormatDuration(seconds(90)), "90s");
  EXPECT_EQ(FormatDuration(minutes(90)), "90m");
  EXPECT_EQ(FormatDuration(hours(36)), "36h");
  EXPECT_EQ(FormatDuration(hours(168)), "7d");
  EXPECT_EQ(ParseDuration(FormatDuration(hours(36))), hours(36));
}

}  // namespace
}  // namespace viewcount
