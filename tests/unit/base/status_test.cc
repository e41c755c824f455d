#include "service/base/status.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"

namespace viewcount {
namespace {

template <typename Detail>
Detail DetailOf(const absl::Status& status) {
  Detail detail;
  const auto payload = status.GetPayload("type.googleapis.com/" + detail.GetTypeName());
  EXPECT_TRUE(payload.has_value());
  if (payload) {
    EXPECT_TRUE(detail.ParseFromString(std::string(*payload)));
  }
  return detail;
}

TEST(Status, InvalidFieldNamesTheField) {
  const auto status = InvalidField("views[3].count", "must be 1 to 1000000");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const auto detail = DetailOf<google::rpc::BadRequest>(status);
  ASSERT_EQ(detail.field_violations_size(), 1);
  EXPECT_EQ(detail.field_violations(0).field(), "views[3].count");
}

TEST(Status, RetryLaterCarriesTheDelay) {
  const auto status = RetryLater(absl::StatusCode::kResourceExhausted, "full", std::chrono::milliseconds(1500));
  const auto detail = DetailOf<google::rpc::RetryInfo>(status);
  EXPECT_EQ(detail.retry_delay().seconds(), 1);
  EXPECT_EQ(detail.retry_delay().nanos(), 500'000'000);
}

TEST(Status, ReasonAndMetadataArePrograms) {
  const auto status =
      ErrorWithReason(absl::StatusCode::kFailedPrecondition, "gap", "SEQUENCE_GAP", {{"expected", "7"}});
  EXPECT_EQ(ReasonOf(status), "SEQUENCE_GAP");
  const auto detail = DetailOf<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(detail.domain(), "viewcount");
  EXPECT_EQ(detail.metadata().at("expected"), "7");
  EXPECT_EQ(ReasonOf(absl::UnavailableError("x")), "");
}

TEST(Status, UnknownSiteNamesTheCommandThatMakesIt) {
  EXPECT_NE(UnknownSite("portal").message().find("viewcount site put portal"), absl::string_view::npos);
}

}  // namespace
}  // namespace viewcount
