#include "client/cli/log_time.h"

#include <gtest/gtest.h>

namespace viewcount::cli {
namespace {

TEST(LogTime, KnownTimes) {
  // date(1) computes the expected values, for example: date -u -d '2015-05-17 10:05:03' +%s
  EXPECT_EQ(ParseLogTime("17/May/2015:10:05:03 +0000"), 1'431'857'103'000);
  EXPECT_EQ(ParseLogTime("17/May/2015:17:05:03 +0700"), 1'431'857'103'000);
  EXPECT_EQ(ParseLogTime("17/May/2015:04:35:03 -0530"), 1'431'857'103'000);
  EXPECT_EQ(ParseLogTime("29/Feb/2024:23:59:59 +0000"), 1'709'251'199'000);
  EXPECT_EQ(ParseLogTime("31/Dec/9999:23:59:59 +0000"), 253'402'300'799'000);
}

TEST(LogTime, ALeapSecondIsTheNextMinutesFirst) {
  EXPECT_EQ(ParseLogTime("31/Dec/2016:23:59:60 +0000"), ParseLogTime("01/Jan/2017:00:00:00 +0000"));
}

// In a request the time 0 means "on receipt", so no log time may be 0.
TEST(LogTime, TheFirstSecondIsNotZero) {
  EXPECT_EQ(ParseLogTime("01/Jan/1970:00:00:00 +0000"), 1);
  EXPECT_EQ(ParseLogTime("01/Jan/1970:00:00:01 +0000"), 1'000);
}

TEST(LogTime, ImpossibleTimesAreNone) {
  for (const char* text : {"",
                           "17/May/2015:10:05:03 +000",
                           "17/May/2015:10:05:03 +00000",
                           "17/May/2015:10:05:03  0000",
                           "17/May/2015:10:05:03 *0000",
                           "17/may/2015:10:05:03 +0000",
                           "17/Mai/2015:10:05:03 +0000",
                           "00/May/2015:10:05:03 +0000",
                           "32/May/2015:10:05:03 +0000",
                           "31/Apr/2015:10:05:03 +0000",
                           "29/Feb/2015:10:05:03 +0000",
                           "29/Feb/1900:10:05:03 +0000",
                           "17/May/2015:24:05:03 +0000",
                           "17/May/2015:10:60:03 +0000",
                           "17/May/2015:10:05:61 +0000",
                           "17/May/2015:10:05:03 +1500",
                           "17/May/2015:10:05:03 +0060",
                           "17-May-2015:10:05:03 +0000",
                           "17/May/2015 10:05:03 +0000",
                           "17/May/2015:10-05-03 +0000",
                           "-1/May/2015:10:05:03 +0000",
                           " 7/May/2015:10:05:03 +0000",
                           "31/Dec/1969:23:59:59 +0000",
                           "01/Jan/1970:00:59:59 +0100",
                           "31/Dec/9999:23:59:59 -0100"}) {
    EXPECT_EQ(ParseLogTime(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace viewcount::cli
