// A visitor must have the same number for as long as the salt is the same. Everything that makes another visitor must
// give another number.
#include "service/visitors/viewer_hash.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "service/base/limits.h"
#include "tests/support/seed.h"

namespace viewcount {
namespace {

using boost::asio::ip::make_address;

constexpr char kAgent[] = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";

ViewerSalt Salt(uint8_t last = 15) {
  ViewerSalt salt;
  for (uint8_t i = 0; i < 16; ++i) salt.bytes[i] = i;
  salt.bytes[15] = last;
  return salt;
}

uint64_t Hash(const std::string& address, const std::string& agent = kAgent, const std::string& site = "portal") {
  return ViewerHash(Salt(), site, make_address(address), agent);
}

// The expected values come from SipHash-2-4 in another language. Its input is the two lengths, the address, the site
// and the agent.
TEST(ViewerHash, IsTheSameInAllVersions) {
  EXPECT_EQ(Hash("203.0.113.9"), 0x77c07c8ce71c101eu);
  EXPECT_EQ(Hash("2001:db8::9", ""), 0x8bfab2b53493f270u);
}

TEST(ViewerHash, DiffersByAllThatItIsMadeOf) {
  const std::set<uint64_t> hashes = {
      Hash("203.0.113.9"),
      Hash("203.0.113.10"),
      Hash("2001:db8::9"),
      Hash("203.0.113.9", "Mozilla/5.0"),
      Hash("203.0.113.9", ""),
      Hash("203.0.113.9", kAgent, "other"),
      ViewerHash(Salt(16), "portal", make_address("203.0.113.9"), kAgent),
  };
  EXPECT_EQ(hashes.size(), 7u);
}

TEST(ViewerHash, AnAddressIsTheSameInBothOfItsForms) {
  EXPECT_EQ(Hash("::ffff:203.0.113.9"), Hash("203.0.113.9"));
  EXPECT_NE(Hash("::203.0.113.9"), Hash("203.0.113.9"));
}

TEST(ViewerHash, ASiteDoesNotRunIntoTheAgent) {
  EXPECT_NE(Hash("203.0.113.9", "bc", "a"), Hash("203.0.113.9", "c", "ab"));
  EXPECT_NE(Hash("203.0.113.9", "", "ab"), Hash("203.0.113.9", "ab", ""));
}

TEST(ViewerHash, AnyBytesAreAnAgent) {
  EXPECT_NE(Hash("203.0.113.9", std::string("a\0b", 3)), Hash("203.0.113.9", std::string("a\0c", 3)));
  EXPECT_NE(Hash("203.0.113.9", "\xFF\xFE"), Hash("203.0.113.9", "\xFF"));
}

TEST(ViewerHash, OfALongAgentOnlyTheBeginningCounts) {
  const std::string beginning(limits::kAgentBytesMax, 'a');
  EXPECT_EQ(Hash("203.0.113.9", beginning + "b"), Hash("203.0.113.9", beginning));
  EXPECT_EQ(Hash("203.0.113.9", beginning + std::string(64 << 10, '\xFF')), Hash("203.0.113.9", beginning));
  EXPECT_NE(Hash("203.0.113.9", beginning.substr(1)), Hash("203.0.113.9", beginning));
}

TEST(ViewerHash, IsNeverNone) {
  std::mt19937_64 random(TestSeed());
  std::set<uint64_t> hashes;
  for (int i = 0; i < 100'000; ++i) {
    const boost::asio::ip::address_v4 address(static_cast<uint32_t>(i));
    ASSERT_TRUE(hashes.insert(ViewerHash(Salt(), "portal", address, std::to_string(random()))).second);
  }
  EXPECT_FALSE(hashes.contains(0));
}

TEST(ViewerHash, IsTheSameOnAllThreads) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      for (int i = 0; i < 5'000; ++i) {
        EXPECT_EQ(Hash("203.0.113.9"), 0x77c07c8ce71c101eu);
        Hash("203.0.113.9", std::to_string(thread));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ViewerHash, DependsOnEachTrait) {
  const auto hash = [](const ViewerTraits& traits) {
    return ViewerHash(Salt(), "portal", make_address("203.0.113.9"), kAgent, traits);
  };
  const std::string longest(kTraitBytesMax, 'x');
  std::set<uint64_t> hashes = {hash({})};
  for (const ViewerTraits& traits :
       {ViewerTraits{.languages = "vi"}, ViewerTraits{.languages = "en"}, ViewerTraits{.brands = "vi"},
        ViewerTraits{.mobile = "vi"}, ViewerTraits{.platform = "vi"}, ViewerTraits{.session = "vi"},
        ViewerTraits{.languages = "v", .brands = "i"}, ViewerTraits{.languages = longest}}) {
    EXPECT_TRUE(hashes.insert(hash(traits)).second);
  }
  const std::string longer = longest + "y";
  EXPECT_EQ(hash({.languages = longer}), hash({.languages = longest}));
}

}  // namespace
}  // namespace viewcount
