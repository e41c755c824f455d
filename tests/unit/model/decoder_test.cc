// Tests every limit on both sides, by name. decoder_property_test.cc tests that everything else is read as Protobuf
// reads it.
#include "service/model/decoder.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "service/base/limits.h"
#include "service/model/wire_reader.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

constexpr int64_t kReceiptUnixMs = 1'750'000'000'123;
const std::string kWriter(16, 'w');

// Returns a request with three views of the site "demo" and without a writer.
v1::RecordViewsRequest Sample() {
  v1::RecordViewsRequest request;
  request.set_site("demo");
  for (const char* id : {"a", "b", "c"}) request.add_views()->set_article_id(id);
  return request;
}

v1::RecordViewsRequest SampleWithWriter() {
  auto request = Sample();
  request.set_writer_id(kWriter);
  request.set_sequence(1);
  return request;
}

// Returns the field that the answer names, or an empty string if the message is accepted.
std::string RefusedField(const std::string& bytes, uint64_t* view_count = nullptr) {
  ViewsRequest decoded;
  const auto status = DecodeViewsRequest(bytes, kReceiptUnixMs, decoded);
  if (view_count != nullptr) *view_count = decoded.view_count;
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  google::rpc::BadRequest detail;
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  if (!payload || !detail.ParseFromString(std::string(*payload)) || detail.field_violations_size() != 1) {
    return "no single violation";
  }
  EXPECT_FALSE(detail.field_violations(0).description().empty());
  return detail.field_violations(0).field();
}

using Change = std::function<void(v1::RecordViewsRequest&)>;

struct Case {
  const char* name;
  // It is empty if the message is accepted.
  const char* refused_field;
  Change change;
};

void ExpectAll(const std::function<v1::RecordViewsRequest()>& sample, const std::vector<Case>& cases) {
  for (const auto& test : cases) {
    auto request = sample();
    test.change(request);
    EXPECT_EQ(RefusedField(request.SerializeAsString()), test.refused_field) << test.name;
  }
}

Change EventTime(int64_t unix_ms, bool import = false) {
  return [=](auto& request) {
    request.set_import(import);
    request.mutable_views(2)->set_event_time_unix_ms(unix_ms);
  };
}
Change ArticleId(const std::string& id) {
  return [=](auto& request) { request.mutable_views(2)->set_article_id(id); };
}
Change Site(const std::string& site) {
  return [=](auto& request) { request.set_site(site); };
}
Change Takeovers(const std::vector<uint64_t>& values) {
  return [=](auto& request) { request.mutable_takeovers()->Add(values.begin(), values.end()); };
}

TEST(Decoder, SiteIsAName) {
  ExpectAll(Sample, {{"one letter", "", Site("d")},
                     {"64 bytes", "", Site(std::string(limits::kSiteNameBytesMax, 'd'))},
                     {"65 bytes", "site", Site(std::string(limits::kSiteNameBytesMax + 1, 'd'))},
                     {"none", "site", Site("")},
                     {"in no key", "site", Site("a:b")}});
}

TEST(Decoder, ViewsKeepTheirLimits) {
  const auto count = [](uint32_t n) -> Change {
    return [=](auto& request) { request.mutable_views(1)->set_count(n); };
  };
  ExpectAll(Sample, {{"512 bytes", "", ArticleId(std::string(limits::kArticleIdBytesMax, 'x'))},
                     {"513 bytes", "views[2].article_id", ArticleId(std::string(limits::kArticleIdBytesMax + 1, 'x'))},
                     {"no ID", "views[2].article_id", ArticleId("")},
                     {"other scripts", "", ArticleId("Số lượt xem")},
                     {"a line feed", "views[2].article_id", ArticleId("a\nb")},
                     {"U+009F", "views[2].article_id", ArticleId("a\xC2\x9F")},
                     {"U+00A0", "", ArticleId("a\xC2\xA0")},
                     {"most", "", count(limits::kViewCountMax)},
                     {"more", "views[1].count", count(limits::kViewCountMax + 1)}});
}

TEST(Decoder, EventTimesAreRecentOrImported) {
  const int64_t oldest = kReceiptUnixMs - limits::kEventAgeMax.count();
  const int64_t newest = kReceiptUnixMs + limits::kEventAheadMax.count();
  const int64_t last = limits::kEventTimeUnixMsMax;
  const char* field = "views[2].event_time_unix_ms";
  ExpectAll(Sample, {{"24 hours ago", "", EventTime(oldest)},
                     {"earlier", field, EventTime(oldest - 1)},
                     {"5 minutes ahead", "", EventTime(newest)},
                     {"later", field, EventTime(newest + 1)},
                     {"before 1970", field, EventTime(-1)},
                     {"1970, imported", "", EventTime(1, true)},
                     {"before 1970, imported", field, EventTime(-1, true)},
                     {"end of 9999, imported", "", EventTime(last, true)},
                     {"10000, imported", field, EventTime(last + 1, true)}});
}

TEST(Decoder, ImportMayFollowTheViews) {
  auto old = Sample();
  old.mutable_views(0)->set_event_time_unix_ms(1);
  EXPECT_EQ(RefusedField(old.SerializeAsString()), "views[0].event_time_unix_ms");
  v1::RecordViewsRequest import;
  import.set_import(true);
  EXPECT_EQ(RefusedField(old.SerializeAsString() + import.SerializeAsString()), "");
}

TEST(Decoder, WritersNumberTheirBatches) {
  const auto id = [](const std::string& bytes) -> Change {
    return [=](auto& request) { request.set_writer_id(bytes); };
  };
  const auto sequence = [](uint64_t n) -> Change { return [=](auto& request) { request.set_sequence(n); }; };
  const auto span = [](uint32_t n) -> Change { return [=](auto& request) { request.set_sequence_span(n); }; };
  ExpectAll(SampleWithWriter, {{"15 bytes", "writer_id", id(std::string(15, 'w'))},
                               {"16 bytes", "", id(std::string(16, '\1'))},
                               {"17 bytes", "writer_id", id(std::string(17, 'w'))},
                               {"all zero", "writer_id", id(std::string(16, '\0'))},
                               {"zero but for one", "", id(std::string(15, '\0') + '\1')},
                               {"sequence 0", "sequence", sequence(0)},
                               {"largest sequence", "", sequence((uint64_t{1} << 63) - 1)},
                               {"beyond", "sequence", sequence(uint64_t{1} << 63)},
                               {"largest span", "", span(limits::kSequenceSpanMax)},
                               {"longer span", "sequence_span", span(limits::kSequenceSpanMax + 1)}});
  ExpectAll(Sample, {{"sequence without a writer", "sequence", sequence(1)},
                     {"span without a writer", "sequence_span", span(1)},
                     {"takeovers without a writer", "takeovers", Takeovers({1})}});
}

TEST(Decoder, TakeoversDoNotFall) {
  ExpectAll(SampleWithWriter, {{"rising", "", Takeovers({1, 5, 5, 9})},
                               {"falling", "takeovers", Takeovers({1, 5, 4})},
                               {"64", "", Takeovers(std::vector<uint64_t>(limits::kTakeoversMax, 7))},
                               {"65", "takeovers", Takeovers(std::vector<uint64_t>(limits::kTakeoversMax + 1, 7))}});
}

TEST(Decoder, DurabilityIsKnown) {
  for (int value = -1; value <= v1::Durability_MAX + 1; ++value) {
    auto request = Sample();
    request.set_durability(static_cast<v1::Durability>(value));
    EXPECT_EQ(RefusedField(request.SerializeAsString()), v1::Durability_IsValid(value) ? "" : "durability") << value;
  }
}

TEST(Decoder, BatchHasAtMost10000Views) {
  auto request = Sample();
  while (request.views_size() < static_cast<int>(limits::kBatchViewsMax)) request.add_views()->set_article_id("x");
  EXPECT_EQ(RefusedField(request.SerializeAsString()), "");
  request.add_views()->set_article_id("x");
  uint64_t view_count;
  EXPECT_EQ(RefusedField(request.SerializeAsString(), &view_count), "views");
  EXPECT_EQ(view_count, limits::kBatchViewsMax);
}

TEST(Decoder, MessageHasAtMost4MiB) {
  auto bytes = Sample().SerializeAsString();
  // An unknown field fills the message up to the limit. It consists of its tag, four bytes of length, and zeros.
  const size_t filling = limits::kRequestBytesMax - bytes.size() - 5;
  bytes += '\x7A';
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>((filling >> (7 * i) & 0x7F) | (i < 3 ? 0x80 : 0));
  bytes.resize(limits::kRequestBytesMax);
  EXPECT_EQ(RefusedField(bytes), "");
  EXPECT_EQ(RefusedField(bytes + Sample().SerializeAsString()), "request");
}

TEST(Decoder, MalformedMessagesSayWhere) {
  const auto bytes = Sample().SerializeAsString();
  uint64_t view_count;
  EXPECT_EQ(RefusedField(bytes.substr(0, bytes.size() - 1), &view_count), "views[2]");
  EXPECT_EQ(view_count, 2U);
  EXPECT_EQ(RefusedField(bytes + '\x07', &view_count), "request");
  EXPECT_EQ(view_count, 3U);
}

TEST(Decoder, NothingIsAValidBatchWithoutItsSite) {
  EXPECT_EQ(RefusedField(""), "site");
  v1::RecordViewsRequest request;
  request.set_site("demo");
  EXPECT_EQ(RefusedField(request.SerializeAsString()), "");
}

TEST(Decoder, GroupsNest100Deep) {
  const auto nested = [](size_t levels) { return std::string(levels, '\x7B') + std::string(levels, '\x7C'); };
  // The generated class keeps unknown fields and serializes them again.
  const auto in_view = [&](size_t levels) {
    auto request = Sample();
    EXPECT_TRUE(request.mutable_views(1)->MergeFromString(nested(levels)));
    return request.SerializeAsString();
  };
  EXPECT_EQ(RefusedField(Sample().SerializeAsString() + nested(kNestingMax)), "");
  EXPECT_EQ(RefusedField(Sample().SerializeAsString() + nested(kNestingMax + 1)), "request");
  // The view itself is one level of nesting.
  EXPECT_EQ(RefusedField(in_view(kNestingMax - 1)), "");
  EXPECT_EQ(RefusedField(in_view(kNestingMax)), "views[1]");
}

TEST(Decoder, CountsBeforeTheErrorAreAddedUp) {
  auto request = Sample();
  request.mutable_views(0)->set_count(7);
  request.mutable_views(2)->set_count(9);
  request.mutable_views(2)->set_article_id("\n");
  uint64_t view_count;
  EXPECT_EQ(RefusedField(request.SerializeAsString(), &view_count), "views[2].article_id");
  EXPECT_EQ(view_count, 8U);
}

TEST(Decoder, DecodingAgainKeepsNothing) {
  auto full = SampleWithWriter();
  full.set_sequence_span(5);
  full.set_durability(v1::DURABILITY_STORED);
  full.set_import(true);
  full.add_takeovers(1);
  full.mutable_views(0)->set_bot(true);
  const auto first = full.SerializeAsString();
  const auto second = Sample().SerializeAsString();
  ViewsRequest decoded;
  ASSERT_TRUE(DecodeViewsRequest(first, kReceiptUnixMs, decoded).ok());
  EXPECT_EQ(decoded.last_sequence(), 5U);
  EXPECT_EQ(decoded.bot_view_count, decoded.views[0].count);
  ASSERT_TRUE(DecodeViewsRequest(second, kReceiptUnixMs, decoded).ok());
  EXPECT_TRUE(decoded.writer.IsNone());
  EXPECT_EQ(decoded.last_sequence(), 0U);
  EXPECT_TRUE(decoded.takeovers.empty());
  EXPECT_EQ(decoded.durability, Durability::kUnspecified);
  EXPECT_FALSE(decoded.import);
  ASSERT_EQ(decoded.views.size(), 3U);
  EXPECT_FALSE(decoded.views[0].bot);
  EXPECT_EQ(decoded.views[0].event_time_unix_ms, kReceiptUnixMs);
  EXPECT_EQ(decoded.view_count, 3U);
  EXPECT_EQ(decoded.bot_view_count, 0U);
}

}  // namespace
}  // namespace viewcount
