#include <gtest/gtest.h>

#include "client/cli/access_log.h"

namespace viewcount::cli {
namespace {

TEST(SafeExcerpt, TheFirstWordIsNotShown) {
  EXPECT_EQ(SafeExcerpt("client.example - - [x"), " - - [x");
  EXPECT_EQ(SafeExcerpt("192.0.2.1"), "");
  EXPECT_EQ(SafeExcerpt(""), "");
}

TEST(SafeExcerpt, AddressesElsewhereAreMasked) {
  EXPECT_EQ(SafeExcerpt("x 192.0.2.1 y"), " (address) y");
  EXPECT_EQ(SafeExcerpt("x \"192.0.2.1:8080\""), " \"(address):8080\"");
  EXPECT_EQ(SafeExcerpt("x a=192.0.2.255. b"), " a=(address). b");
  EXPECT_EQ(SafeExcerpt("x 2001:db8::1, ::ffff:192.0.2.1"), " (address), (address)");
  // Two log lines are mixed into one, as happens when two processes write at the same time.
  EXPECT_EQ(SafeExcerpt("x - - [17/May/2015:10:0192.0.2.7 - -").find("192.0.2.7"), std::string::npos);
}

TEST(SafeExcerpt, TimesAndVersionsStay) {
  EXPECT_EQ(SafeExcerpt("x [17/May/2015:10:05:03 +0000] Mozilla/5.0"), " [17/May/2015:10:05:03 +0000] Mozilla/5.0");
}

TEST(SafeExcerpt, BytesAreEscapedAndFew) {
  EXPECT_EQ(SafeExcerpt(std::string("x a\0b\x1b\xFF\\", 8)), R"( a\x00b\x1b\xff\\)");
  const auto excerpt = SafeExcerpt("x " + std::string(1'000'000, '\xFF'));
  EXPECT_LE(excerpt.size(), 100u);
  EXPECT_EQ(excerpt.substr(excerpt.size() - 3), "...");
}

}  // namespace
}  // namespace viewcount::cli
