#include "service/ratelimit/address_rate_limiter.h"

#include <gtest/gtest.h>

#include <string>

namespace viewcount {
namespace {

using boost::asio::ip::make_address;
using std::chrono::milliseconds, std::chrono::seconds;

constexpr uint32_t kPerSecond = 5;
constexpr uint32_t kAtOnce = kPerSecond * limits::kFloodBurst.count();
constexpr SteadyTime kStart{seconds(1'000)};

uint32_t TakenOf(AddressRateLimiter& budget, const std::string& address, uint32_t tries, SteadyTime now) {
  uint32_t taken = 0;
  for (uint32_t i = 0; i < tries; ++i) taken += budget.Take(make_address(address), 1, now) ? 1 : 0;
  return taken;
}

TEST(AddressRateLimiterTest, TenSecondsWorthMayComeAtOnceAndThenAtTheRate) {
  AddressRateLimiter budget(kPerSecond);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart), kAtOnce);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart + milliseconds(199)), 0u);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart + milliseconds(200)), 1u);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart + milliseconds(2'200)), 2 * kPerSecond);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart + seconds(1'000)), kAtOnce);
}

TEST(AddressRateLimiterTest, WhatIsRefusedCostsNothing) {
  AddressRateLimiter budget(kPerSecond);
  EXPECT_FALSE(budget.Take(make_address("203.0.113.9"), kAtOnce + 1, kStart));
  EXPECT_TRUE(budget.Take(make_address("203.0.113.9"), kAtOnce, kStart));
  EXPECT_FALSE(budget.Take(make_address("203.0.113.9"), 1, kStart));
}

TEST(AddressRateLimiterTest, EachAddressHasItsOwn) {
  AddressRateLimiter budget(kPerSecond);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart), kAtOnce);
  EXPECT_EQ(TakenOf(budget, "203.0.113.10", 1'000, kStart), kAtOnce);
  EXPECT_EQ(TakenOf(budget, "::ffff:203.0.113.9", 1'000, kStart), 0u) << "the same in another form";
}

TEST(AddressRateLimiterTest, WhoHasANetworkHasOneBudget) {
  AddressRateLimiter budget(kPerSecond);
  EXPECT_EQ(TakenOf(budget, "2001:db8:1:2::1", 1'000, kStart), kAtOnce);
  EXPECT_EQ(TakenOf(budget, "2001:db8:1:2:ffff:ffff:ffff:ffff", 1'000, kStart), 0u);
  EXPECT_EQ(TakenOf(budget, "2001:db8:1:3::1", 1'000, kStart), kAtOnce);
}

TEST(AddressRateLimiterTest, AnotherRateHoldsFromThenOn) {
  AddressRateLimiter budget(0);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart), 1'000u);
  budget.SetRate(kPerSecond);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart), kAtOnce);
  budget.SetRate(2 * kPerSecond);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart + seconds(1)), 2 * kPerSecond);
  budget.SetRate(0);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 1'000, kStart + seconds(1)), 1'000u);
}

TEST(AddressRateLimiterTest, NoneIsNoLimit) {
  AddressRateLimiter budget(0);
  EXPECT_EQ(TakenOf(budget, "203.0.113.9", 100'000, kStart), 100'000u);
}

// Uses ten times as many addresses as the budget remembers, while one address floods throughout.
TEST(AddressRateLimiterTest, ManyAddressesDoNotMakeOneForgotten) {
  AddressRateLimiter budget(kPerSecond);
  SteadyTime now = kStart;
  uint32_t taken = TakenOf(budget, "203.0.113.9", kAtOnce, now);
  for (uint32_t i = 0; i < 10 * limits::kFloodAddresses; ++i) {
    now += std::chrono::microseconds(100);
    ASSERT_TRUE(budget.Take(boost::asio::ip::make_address_v4(0x0a000000 + i), 1, now));
    taken += budget.Take(make_address("203.0.113.9"), 1, now) ? 1 : 0;
  }
  const auto passed = std::chrono::duration_cast<seconds>(now - kStart).count();
  EXPECT_LE(taken, kAtOnce + kPerSecond * static_cast<uint32_t>(passed + 1));
}

}  // namespace
}  // namespace viewcount
