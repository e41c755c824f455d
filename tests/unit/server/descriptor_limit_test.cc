#include "service/server/descriptor_limit.h"

#include <gtest/gtest.h>

#include "service/base/limits.h"
#include "service/grpc/http2/http2_limits.h"

namespace viewcount {
namespace {

size_t SumOf(const DescriptorPlan& plan) { return plan.admin + plan.http + plan.backend_http + plan.grpc; }

TEST(DescriptorLimit, WithEnoughEveryPortGetsWhatItCanUse) {
  const DescriptorPlan plan = PlanDescriptors(65'536, 4);
  EXPECT_EQ(plan.http, limits::kPublicConnectionsMax);
  EXPECT_EQ(plan.grpc, limits::kHttp2ConnectionsMax);
  EXPECT_EQ(plan.admin, kAdminConnectionsMax);
}

TEST(DescriptorLimit, ConnectionsAndFilesFitTheLimit) {
  for (const size_t limit : {400, 512, 1'024, 4'096, 20'000, 26'000, 30'000}) {
    for (const size_t lanes : {1, 4, 16}) {
      const DescriptorPlan plan = PlanDescriptors(limit, lanes);
      EXPECT_LE(SumOf(plan) + kDescriptorsOfOthers + lanes * kDescriptorsPerLane, limit) << limit << " " << lanes;
      EXPECT_EQ(plan.admin, kAdminConnectionsMax);
      EXPECT_GE(plan.http, plan.grpc);
    }
  }
}

TEST(DescriptorLimit, EveryPortGetsSomeConnections) {
  for (const size_t limit : {0, 64, 200}) {
    const DescriptorPlan plan = PlanDescriptors(limit, 64);
    EXPECT_GE(plan.http, kConnectionsMin);
    EXPECT_GE(plan.grpc, kConnectionsMin);
    EXPECT_EQ(plan.admin, kAdminConnectionsMax);
  }
}

}  // namespace
}  // namespace viewcount
