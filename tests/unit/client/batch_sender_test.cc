#include "client/cpp/batch_sender.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/support/fake_ingest.h"

namespace viewcount::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::FakeIngest;
using testing::Fault;

SendOptions Quick() {
  SendOptions options;
  options.call_timeout = milliseconds(2'000);
  options.batch_timeout = milliseconds(10'000);
  options.backoff_min = milliseconds(1);
  options.backoff_max = milliseconds(5);
  return options;
}

std::string RequestBytes() {
  v1::RecordViewsRequest request;
  request.set_site("portal");
  request.set_writer_id(std::string(16, 'w'));
  request.set_sequence(1);
  request.add_views()->set_article_id("a");
  return request.SerializeAsString();
}

TEST(BatchSender, EveryRetrySendsTheSameBytes) {
  FakeIngest service;
  service.Script({{Fault::Kind::kRefuse, {grpc::StatusCode::UNAVAILABLE, "starting"}},
                  {Fault::Kind::kLoseReply, {grpc::StatusCode::UNAVAILABLE, "lost"}},
                  {Fault::Kind::kRefuse, {grpc::StatusCode::INTERNAL, "RST_STREAM"}}});
  BatchSender sender(service.channel(), Quick());
  const auto result = sender.Send(RequestBytes());
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_TRUE(result.response.duplicate());
  EXPECT_TRUE(result.outcome_unknown);
  EXPECT_EQ(result.retries, 3u);
  EXPECT_EQ(sender.retries(), 3u);
  ASSERT_EQ(service.attempts().size(), 4u);
  for (const auto& attempt : service.attempts()) EXPECT_EQ(attempt.bytes, RequestBytes());
  EXPECT_EQ(service.total(), 1u);
}

TEST(BatchSender, AnAttemptThatHangsIsGivenUpAndSentAgain) {
  FakeIngest service;
  service.Script({{Fault::Kind::kCountAndHang}, {Fault::Kind::kHang}});
  auto options = Quick();
  options.call_timeout = milliseconds(100);
  BatchSender sender(service.channel(), options);
  const auto result = sender.Send(RequestBytes());
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_TRUE(result.response.duplicate());
  EXPECT_EQ(service.total(), 1u);
}

TEST(BatchSender, AFullQueueIsAskedAgainWhenItAllows) {
  FakeIngest service;
  service.Script(
      {{Fault::Kind::kRefuse, testing::WithRetryDelay(grpc::StatusCode::RESOURCE_EXHAUSTED, milliseconds(150))}});
  BatchSender sender(service.channel(), Quick());
  const auto before = steady_clock::now();
  const auto result = sender.Send(RequestBytes());
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_GE(steady_clock::now() - before, milliseconds(150));
  EXPECT_FALSE(result.outcome_unknown) << "a full queue counts nothing";
  EXPECT_FALSE(result.response.duplicate());
}

TEST(BatchSender, AFinalErrorIsNotRepeatedAndKeepsItsDetails) {
  FakeIngest service;
  service.Script({{Fault::Kind::kRefuse, testing::WithReason(grpc::StatusCode::NOT_FOUND, "UNKNOWN_SITE")}});
  BatchSender sender(service.channel(), Quick());
  const auto result = sender.Send(RequestBytes());
  EXPECT_TRUE(absl::IsNotFound(result.status));
  EXPECT_EQ(result.details.reason, "UNKNOWN_SITE");
  EXPECT_TRUE(result.status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo").has_value());
  EXPECT_FALSE(result.outcome_unknown);
  EXPECT_EQ(service.attempts().size(), 1u);
}

TEST(BatchSender, GivesUpAtItsDeadlineAndSaysWhy) {
  FakeIngest service;
  service.Decide([](const auto&) { return Fault{Fault::Kind::kRefuse, {grpc::StatusCode::UNAVAILABLE, "away"}, 0}; });
  auto options = Quick();
  options.batch_timeout = milliseconds(500);
  BatchSender sender(service.channel(), options);
  const auto before = steady_clock::now();
  const auto result = sender.Send(RequestBytes());
  EXPECT_TRUE(absl::IsUnavailable(result.status));
  EXPECT_NE(result.status.message().find("away"), absl::string_view::npos);
  EXPECT_TRUE(result.outcome_unknown);
  EXPECT_GT(result.retries, 1u);
  EXPECT_LT(steady_clock::now() - before, milliseconds(5'000));
}

TEST(BatchSender, CancelEndsAnAttemptAndEveryLaterOne) {
  FakeIngest service;
  service.Script({{Fault::Kind::kHang}});
  auto options = Quick();
  options.call_timeout = options.batch_timeout = std::chrono::minutes(5);
  BatchSender sender(service.channel(), options);
  SendResult result;
  std::thread thread([&] { result = sender.Send(RequestBytes()); });
  EXPECT_TRUE(service.WaitForAttempts(1));
  sender.Cancel();
  thread.join();
  EXPECT_TRUE(absl::IsCancelled(result.status)) << result.status;
  EXPECT_TRUE(result.outcome_unknown);
  const auto later = sender.Send(RequestBytes());
  EXPECT_TRUE(absl::IsCancelled(later.status));
  EXPECT_FALSE(later.outcome_unknown) << "it was never sent";
  EXPECT_EQ(service.attempts().size(), 1u);
}

TEST(BatchSender, AServiceThatIsNotThereIsUnavailable) {
  auto options = Quick();
  options.batch_timeout = milliseconds(50);
  BatchSender sender(MakeChannel("127.0.0.1:1"), options);
  EXPECT_TRUE(absl::IsUnavailable(sender.Send(RequestBytes()).status));
}

}  // namespace
}  // namespace viewcount::client
