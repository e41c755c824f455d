#include "service/base/service_full.h"

#include <gtest/gtest.h>

#include "service/base/status.h"

namespace viewcount {
namespace {

TEST(ServiceFull, StatesWhatIsFullAndWhenToTryAgain) {
  const absl::Status status = ServiceFull("no room", kFullDisk, std::chrono::milliseconds(500));
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(status.message(), "no room");
  EXPECT_EQ(FullOf(status), "disk");
  EXPECT_EQ(ReasonOf(status), "SERVICE_FULL");
  EXPECT_EQ(RetryDelayOf(status), std::chrono::milliseconds(500));
}

TEST(ServiceFull, OtherStatusesSayNothingIsFull) {
  EXPECT_EQ(FullOf(absl::OkStatus()), "");
  EXPECT_EQ(FullOf(RetryLater(absl::StatusCode::kResourceExhausted, "too much", std::chrono::milliseconds(1))), "");
  EXPECT_EQ(FullOf(ErrorWithReason(absl::StatusCode::kResourceExhausted, "x", "OTHER", {{"full", "disk"}})), "");
}

}  // namespace
}  // namespace viewcount
