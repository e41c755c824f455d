// Tests salts in a real Redis, and values that an operator may have put in their place.
#include "service/store/redis/stored_salts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/base/status.h"
#include "tests/support/lane_pipeline.h"

namespace viewcount {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr uint32_t kToday = 20261122;

class StoredSaltsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(pipeline_.Open().ok()); }

  absl::StatusOr<ViewerSalt> Obtain(const ViewerSalt& fresh = RandomId<ViewerSalt>()) {
    return pipeline_.Await(pipeline_.store().ObtainSalt("demo", kToday, fresh));
  }
  absl::Status Remove(uint32_t first_day) {
    const SiteDays first_days = {{"demo", first_day}};
    return pipeline_.Await(pipeline_.store().RemoveSalts(first_days));
  }

  RedisProcess redis_;
  LanePipeline pipeline_{redis_};
};

TEST_F(StoredSaltsTest, AreKeptAsHexadecimalDigits) {
  const ViewerSalt salt = RandomId<ViewerSalt>();
  EXPECT_EQ(*Obtain(salt), salt);
  EXPECT_EQ(redis_.Command({"HGET", "vc:salts", "demo/20261122"}), ToHex(salt));
  EXPECT_EQ(redis_.Command({"HLEN", "vc:salts"}), "1");
}

TEST_F(StoredSaltsTest, WhatIsNoSaltIsToldAndNotSaid) {
  for (const std::string& text : {std::string("secret"), std::string(), std::string(31, 'a'), std::string(33, 'a'),
                                  std::string(31, 'a') + "g", std::string(32, '0')}) {
    redis_.Command({"HSET", "vc:salts", "demo/20261122", text});
    const auto salt = Obtain();
    EXPECT_TRUE(absl::IsDataLoss(salt.status())) << text;
    EXPECT_THAT(ToStd(salt.status().message()), HasSubstr("vc:salts holds no salt in field demo/20261122"));
    EXPECT_THAT(ToStd(salt.status().message()), Not(HasSubstr("secret")));
    EXPECT_EQ(redis_.Command({"HGET", "vc:salts", "demo/20261122"}), text) << "it is somebody's";
  }
  EXPECT_TRUE(Remove(kToday + 1).ok());
  EXPECT_TRUE(Obtain().ok()) << "of an earlier day it went with the others";
}

TEST_F(StoredSaltsTest, AnotherTypeOfKeyIsAnError) {
  redis_.Command({"SET", "vc:salts", "something"});
  EXPECT_EQ(ReasonOf(Obtain().status()), "REDIS_WRONGTYPE");
  EXPECT_EQ(ReasonOf(Remove(kToday)), "REDIS_WRONGTYPE");
}

TEST_F(StoredSaltsTest, FieldsThatNobodyOfUsWroteStay) {
  for (const char* field :
       {"demo", "demo/", "demo/2026112x", "demo/20261121", "/20261121", "other/20261121", "demo/x/20261121"}) {
    redis_.Command({"HSET", "vc:salts", field, "x"});
  }
  EXPECT_TRUE(Remove(kToday).ok());
  EXPECT_THAT(redis_.List({"HKEYS", "vc:salts"}),
              UnorderedElementsAre("demo", "demo/", "demo/2026112x", "/20261121", "other/20261121", "demo/x/20261121"));
}

TEST_F(StoredSaltsTest, WithoutAnyThereIsNothingToRemove) {
  EXPECT_TRUE(Remove(kToday).ok());
  EXPECT_EQ(redis_.Command({"EXISTS", "vc:salts"}), "0");
}

// The audit reads all keys of the shards. Salts do not belong to a shard.
TEST_F(StoredSaltsTest, TheAuditHasNothingToSayOfThem) {
  ASSERT_TRUE(Obtain().ok());
  const auto report = pipeline_.Await(pipeline_.store().Audit());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->differences.empty());
}

}  // namespace
}  // namespace viewcount
