#include "client/cli/log_time.h"

#include <gtest/gtest.h>

#include <limits>

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

TEST(LogTime, IsoTimesWithAndWithoutZone) {
  constexpr int64_t kExpected = 1'431'857'103'000;
  for (const char* text : {"2015-05-17T10:05:03Z", "2015-05-17 10:05:03", "2015-05-17T17:05:03+07:00",
                           "2015-05-17T05:05:03-0500", "2015-05-17t10:05:03z"}) {
    EXPECT_EQ(ParseIsoTime(text), kExpected) << text;
  }
  EXPECT_EQ(ParseIsoTime("2015-05-17T10:05:03.25Z"), kExpected + 250);
  EXPECT_EQ(ParseIsoTime("2015-05-17T10:05:03,123456789Z"), kExpected + 123);
  for (const char* text : {"", "2015-05-17", "2015-05-17T10:05", "2015-05-32T10:05:03Z", "2015-05-17T24:05:03Z",
                           "2015-05-17T10:05:03.Z", "2015-05-17T10:05:03+7", "2015-05-17T10:05:03+07.00",
                           "2015/05/17 10:05:03", "1969-12-31T23:59:59Z", "2015-05-17T10:05:03 UTC"}) {
    EXPECT_EQ(ParseIsoTime(text), std::nullopt) << text;
  }
}

TEST(LogTime, SecondsSince1970) {
  EXPECT_EQ(ParseUnixTime("1431857103"), 1'431'857'103'000);
  EXPECT_EQ(ParseUnixTime("1431857103.250"), 1'431'857'103'250);
  EXPECT_EQ(ParseUnixTime("0"), 1);
  for (const char* text : {"", ".5", "-1", "1.", "1x", "1e5", "999999999999", "1234567890123"}) {
    EXPECT_EQ(ParseUnixTime(text), std::nullopt) << text;
  }
  EXPECT_EQ(TimeOfUnixSeconds(1'431'857'103.25), 1'431'857'103'250);
  for (const double seconds : {-1.0, 1e300, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(TimeOfUnixSeconds(seconds), std::nullopt);
  }
}

}  // namespace
}  // namespace viewcount::cli
