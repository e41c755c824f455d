#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "service/base/text.h"
#include "service/model/decoder.h"
#include "tests/support/seed.h"
#include "tests/unit/model/random_request.h"
#include "tests/unit/model/reference_decoder.h"

namespace viewcount {
namespace {

constexpr int kMessages = 100'000;
constexpr int64_t kReceivedUnixMs = 1'750'000'000'123;

std::string Hex(const std::string& bytes) {
  std::string hex;
  char digits[3];
  for (char c : bytes) {
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    hex += digits;
  }
  return hex;
}

// Compares the decoder's result with that of the reference, translated into the decoder's representation.
void ExpectSame(const ViewsRequest& request, const v1::RecordViewsRequest& expected) {
  EXPECT_EQ(request.site, expected.site());
  const auto& writer = request.writer.bytes;
  EXPECT_EQ(std::string(writer.begin(), writer.end()),
            expected.writer_id().empty() ? std::string(16, '\0') : expected.writer_id());
  EXPECT_EQ(request.sequence, expected.sequence());
  EXPECT_EQ(request.sequence_span, expected.sequence_span() == 0 ? 1 : expected.sequence_span());
  EXPECT_THAT(request.takeovers, testing::ElementsAreArray(expected.takeovers()));
  EXPECT_EQ(static_cast<int>(request.durability), static_cast<int>(expected.durability()));
  EXPECT_EQ(request.import, expected.import());
  ASSERT_EQ(request.views.size(), static_cast<size_t>(expected.views_size()));
  for (int i = 0; i < expected.views_size(); ++i) {
    const DecodedView& view = request.views[static_cast<size_t>(i)];
    const v1::View& other = expected.views(i);
    EXPECT_EQ(view.article_id, other.article_id());
    EXPECT_EQ(view.count, other.count() == 0 ? 1 : other.count());
    EXPECT_EQ(view.viewer, other.viewer());
    EXPECT_EQ(view.event_time_unix_ms, other.event_time_unix_ms() == 0 ? kReceivedUnixMs : other.event_time_unix_ms());
    EXPECT_EQ(view.bot, other.bot());
  }
}

TEST(DecoderProperty, AcceptsAndReadsExactlyWhatTheGeneratedClassesDo) {
  // Protobuf would log every string that is not UTF-8.
  google::protobuf::LogSilencer silencer;
  RandomRequests requests(TestSeed(), kReceivedUnixMs);
  // The request is reused, as the service does. Nothing of the previous message may remain in it.
  ViewsRequest request;
  int accepted = 0, unparsable = 0;
  for (int i = 0; i < kMessages && !HasFailure(); ++i) {
    const std::string bytes = requests.Next();
    const ReferenceResult expected = DecodeByReference(bytes, kReceivedUnixMs);
    // The copy has exactly the message's size, so that a sanitizer detects every read beyond it.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    const absl::Status status = DecodeViewsRequest({exact.data(), exact.size()}, kReceivedUnixMs, request);
    EXPECT_EQ(status.ok(), expected.accepted) << status;
    accepted += expected.accepted ? 1 : 0;
    unparsable += expected.parsed ? 0 : 1;
    if (status.ok() && expected.accepted) ExpectSame(request, expected.message);
    if (expected.parsed && expected.view_count) {
      EXPECT_EQ(request.view_count, *expected.view_count) << status;
    }
    if (HasFailure()) ADD_FAILURE() << "message " << i << ": " << Hex(bytes);
  }
  if (HasFailure()) return;
  std::printf("%d messages: %d accepted, %d not parsed, %d beyond a limit\n", kMessages, accepted, unparsable,
              kMessages - accepted - unparsable);
  // Without enough messages of each kind the test would prove little.
  EXPECT_GT(accepted, kMessages / 3);
  EXPECT_GT(unparsable, kMessages / 10);
  EXPECT_GT(kMessages - accepted - unparsable, kMessages / 20);
}

}  // namespace
}  // namespace viewcount
