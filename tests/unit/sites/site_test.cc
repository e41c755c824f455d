// Tests which names a site may have, and how its days are numbered.
#include "service/sites/site.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <future>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/sites/stored_site.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {
namespace {

std::string ErrorOf(std::string_view name, std::string_view zone) {
  const auto site = MakeSite(name, {std::string(zone)});
  EXPECT_TRUE(absl::IsInvalidArgument(site.status())) << name;
  return std::string(ToStd(site.status().message()));
}

TEST(Site, NamesAreOneTo64OfTheirCharacters) {
  for (const std::string& name :
       {std::string("a"), std::string("9"), std::string("News-24_vn.Example"), std::string(64, 'x')}) {
    const auto site = MakeSite(name, {});
    ASSERT_TRUE(site.ok()) << site.status();
    EXPECT_EQ(site->name, name);
    EXPECT_EQ(site->seed, Hash64(name));
  }
  for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("-a"), std::string(".a"),
                                  std::string("_a"), std::string("a b"), std::string("a/b"), std::string("a:b"),
                                  std::string("a{b}"), std::string("a\0", 2), std::string("é"), std::string("a\n")}) {
    EXPECT_NE(ErrorOf(name, "").find("site.name"), std::string::npos) << name;
  }
}

TEST(Site, NoTimeZoneMeansUtc) { EXPECT_EQ(MakeSite("demo", {})->settings.time_zone, "UTC"); }

TEST(Site, UnknownTimeZonesAreRefused) {
  EXPECT_EQ(MakeSite("demo", {"Asia/Ho_Chi_Minh"})->settings.time_zone, "Asia/Ho_Chi_Minh");
  EXPECT_NE(ErrorOf("demo", "Asia/Atlantis").find("site.time_zone"), std::string::npos);
  EXPECT_NE(ErrorOf("demo", "../../etc/passwd").find("site.time_zone"), std::string::npos);
}

TEST(Site, PathsAndTheMachinesOwnZoneAreRefused) {
  for (const char* zone :
       {"localtime", "posixrules", "/usr/share/zoneinfo/Asia/Tokyo", "../zoneinfo/Asia/Tokyo", "Asia/../Asia/Tokyo",
        "..", ".", "Asia/", "/", "Asia//Tokyo", "file:Asia/Tokyo", "Asia/Tokyo.bak", "Asia\\Tokyo"}) {
    EXPECT_NE(ErrorOf("demo", zone).find("site.time_zone"), std::string::npos) << zone;
  }
  for (const char* zone : {"UTC", "Etc/GMT+7", "America/Argentina/ComodRivadavia", "America/Port-au-Prince", "GMT0"}) {
    EXPECT_TRUE(MakeSite("demo", {zone}).ok()) << zone;
  }
}

TEST(Site, ZonesThatWereAcceptedOnceStayUsable) {
  EXPECT_TRUE(MakeStoredSite("demo", {"/usr/share/zoneinfo/Asia/Tokyo"}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(MakeStoredSite("demo", {"/dev/null"}).status()));
}

// A FIFO that is opened for reading waits for a writer. Without the check this test would never return.
TEST(Site, AFifoIsNoTimeZone) {
  const TemporaryDirectory folder;
  const std::string fifo = folder.path() + "/Pipe";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_EQ(setenv("TZDIR", folder.path().c_str(), 1), 0);
  auto refused = std::async(std::launch::async, [&] {
    return absl::IsInvalidArgument(MakeSite("demo", {"Pipe"}).status()) &&
           absl::IsInvalidArgument(MakeStoredSite("demo", {fifo}).status());
  });
  const bool returned = refused.wait_for(std::chrono::seconds(5)) == std::future_status::ready;
  EXPECT_TRUE(returned);
  // Opens the FIFO for writing, so that a waiting reader continues.
  while (refused.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready) {
    const int writer = open(fifo.c_str(), O_WRONLY | O_NONBLOCK);
    if (writer >= 0) close(writer);
  }
  EXPECT_TRUE(refused.get());
  unsetenv("TZDIR");
}

TEST(Site, DaysAreNumberedAsTheyAreWritten) {
  EXPECT_EQ(DayNumber(absl::CivilDay(2026, 11, 22)), 20261122u);
  EXPECT_EQ(DayNumber(absl::CivilDay(1969, 12, 31)), 19691231u);
  EXPECT_EQ(DayNumber(absl::CivilDay(9999, 12, 31)), 99991231u);
  EXPECT_EQ(DayOfNumber(20261122), absl::CivilDay(2026, 11, 22));
  EXPECT_EQ(DayOfNumber(20240229), absl::CivilDay(2024, 2, 29));
  for (uint32_t none : {0u, 20250229u, 20261301u, 20260001u, 20260132u, 20260100u, 4'294'967'295u}) {
    EXPECT_FALSE(DayOfNumber(none)) << none;
  }
}

}  // namespace
}  // namespace viewcount
