#include "client/cli/feed_time.h"

#include <absl/strings/string_view.h>
#include <gtest/gtest.h>

#include <string>

namespace viewcount::cli {
namespace {

std::string Utc(std::string_view text) {
  const auto time = ParseFeedTime(text, absl::FixedTimeZone(7 * 3'600));
  return time ? absl::FormatTime("%Y-%m-%dT%H:%M:%S", *time, absl::UTCTimeZone()) : "none";
}

TEST(ParseFeedTime, ReadsTimesOfMails) {
  EXPECT_EQ(Utc("Mon, 30 Nov 2026 07:00:00 +0700"), "2026-11-30T00:00:00");
  EXPECT_EQ(Utc("30 Nov 2026 07:00 GMT"), "2026-11-30T07:00:00");
  EXPECT_EQ(Utc("Monday, 30 November 26 07:00:01 EST"), "2026-11-30T12:00:01");
  EXPECT_EQ(Utc("1 Jan 99 00:00 Z"), "1999-01-01T00:00:00");
  EXPECT_EQ(Utc("Mon, 30 Nov 2026 07:00:00 -07:00"), "2026-11-30T14:00:00");
  // Without a zone they are the site's.
  EXPECT_EQ(Utc("Mon, 30 Nov 2026 07:00:00"), "2026-11-30T00:00:00");
  EXPECT_EQ(Utc("30 Nov 2026"), "2026-11-29T17:00:00");
}

TEST(ParseFeedTime, ReadsIsoTimes) {
  EXPECT_EQ(Utc("2026-11-30T07:00:00+07:00"), "2026-11-30T00:00:00");
  EXPECT_EQ(Utc("2026-11-30T07:00Z"), "2026-11-30T07:00:00");
  EXPECT_EQ(Utc("2026-11-30 07:00:00.123456789012 +0700"), "2026-11-30T00:00:00");
  EXPECT_EQ(Utc("2026-11-30"), "2026-11-29T17:00:00");
  EXPECT_EQ(Utc("2026-11-30T07:00:00"), "2026-11-30T00:00:00");
}

TEST(ParseFeedTime, RefusesOtherTexts) {
  for (const char* text : {"", "yesterday", "2026", "2026-11", "2026-02-30", "2026-13-01", "2026-11-30T",
                           "2026-11-30T7", "2026-11-30T24:00:00Z", "2026-11-30T07:00:00+15:00", "2026-11-30T07:00:00 X",
                           "Mon, 31 Nov 2026 07:00:00 GMT", "Mon, 30 Foo 2026", "30 Nov 2026 07:61 GMT", "1969-12-31",
                           "30 Nov 2026 07:00:00 +07000", "2026-11-30T07:00:00.Z"}) {
    EXPECT_EQ(Utc(text), "none") << text;
  }
}

}  // namespace
}  // namespace viewcount::cli
