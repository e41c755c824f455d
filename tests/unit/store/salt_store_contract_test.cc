// Tests the contract of SaltStore on the store in Redis and on the store in memory.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/store/store_rigs.h"

namespace viewcount {
namespace {

template <typename Rig>
class SaltStoreContract : public ::testing::Test {
 protected:
  Rig rig_;
};

using SaltRigs = ::testing::Types<RedisRig, MemoryRig>;
TYPED_TEST_SUITE(SaltStoreContract, SaltRigs);

TYPED_TEST(SaltStoreContract, WhoeverComesFirstMakesADaysSalt) {
  const auto obtain = [&](std::string_view site, uint32_t day) {
    const ViewerSalt fresh = RandomId<ViewerSalt>();
    const auto salt = this->rig_.Await(this->rig_.store().ObtainSalt(site, day, fresh));
    EXPECT_TRUE(salt.ok()) << salt.status();
    return std::pair(*salt, *salt == fresh);
  };
  const auto [salt, is_fresh] = obtain("demo", 20261122);
  EXPECT_TRUE(is_fresh);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(obtain("demo", 20261122), std::pair(salt, false));
  EXPECT_TRUE(obtain("demo", 20261123).second);
  EXPECT_TRUE(obtain("demo.other", 20261122).second);
  EXPECT_EQ(obtain("demo", 20261122), std::pair(salt, false));
}

TYPED_TEST(SaltStoreContract, SaltsOfEarlierDaysAreRemoved) {
  // There are more sites than one step of the removal processes.
  constexpr uint32_t kSites = 1'500;
  const auto name = [](uint32_t i) { return "site" + std::to_string(i); };
  const auto is_there = [&](const std::string& site, uint32_t day) {
    const ViewerSalt fresh = RandomId<ViewerSalt>();
    return *this->rig_.Await(this->rig_.store().ObtainSalt(site, day, fresh)) != fresh;
  };
  for (uint32_t i = 0; i < kSites; ++i) {
    for (const uint32_t day : {20261121u, 20261122u}) ASSERT_FALSE(is_there(name(i), day));
  }
  ASSERT_FALSE(is_there("site", 20261121));
  SiteDays first_days = {{"nobody", 20261122}};
  for (uint32_t i = 0; i < kSites; i += 3) first_days[name(i)] = i % 2 == 0 ? 20261122 : 20261123;
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().RemoveSalts(first_days)).ok());
  EXPECT_TRUE(this->rig_.Await(this->rig_.store().RemoveSalts({})).ok());
  EXPECT_TRUE(is_there("site", 20261121)) << "though names of others begin with it";
  for (uint32_t i = 0; i < kSites; ++i) {
    for (const uint32_t day : {20261121u, 20261122u}) {
      const auto first = first_days.find(name(i));
      ASSERT_EQ(is_there(name(i), day), first == first_days.end() || day >= first->second) << name(i) << " " << day;
    }
  }
}

}  // namespace
}  // namespace viewcount
