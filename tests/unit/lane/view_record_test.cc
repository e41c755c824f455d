// Tests the payloads of records. Written payloads must be read back, and all others refused.
#include "service/lane/view_record.h"

#include <gtest/gtest.h>

namespace viewcount {
namespace {

std::string Encoded(const ViewsHead& head) {
  std::string text;
  head.EncodeTo(text);
  return text;
}

TEST(ViewRecord, ViewsAreReadAsWritten) {
  for (const int64_t receipt : {int64_t{0}, int64_t{1'750'000'000'000}, int64_t{-1}}) {
    for (const std::string& bits : {std::string(), std::string("\x05"), std::string(1'250, '\xff')}) {
      for (const bool both : {false, true}) {
        const ViewsHead head{.receipt_unix_ms = receipt, .visits = both ? "v" : "", .cool_downs = bits};
        const std::string payload = Encoded(head) + "the request";
        const auto parsed = ParseViewsPayload(payload);
        ASSERT_TRUE(parsed.ok()) << parsed.status();
        EXPECT_EQ(parsed->head.receipt_unix_ms, receipt);
        EXPECT_EQ(parsed->head.visits, head.visits);
        EXPECT_EQ(parsed->head.cool_downs, bits);
        EXPECT_EQ(parsed->request, "the request");
      }
    }
  }
}

TEST(ViewRecord, ViewsThatNobodyWroteAreRefused) {
  for (const std::string& visits : {std::string(), std::string("\x01")}) {
    const std::string payload = Encoded({.receipt_unix_ms = 1, .visits = visits, .cool_downs = visits});
    EXPECT_TRUE(ParseViewsPayload(payload).ok());
    for (size_t size = 0; size < payload.size(); ++size) {
      EXPECT_TRUE(absl::IsDataLoss(ParseViewsPayload(payload.substr(0, size)).status())) << size;
    }
  }
  // The flag belongs to a later version.
  std::string payload = Encoded({.receipt_unix_ms = 1});
  payload.back() = 4;
  EXPECT_TRUE(absl::IsDataLoss(ParseViewsPayload(payload).status()));
}

TEST(ViewRecord, WhichViewsBeginAVisitIsReadAsWritten) {
  for (const size_t count : {1, 7, 8, 9, 100}) {
    std::vector<DecodedView> views(count);
    std::string bits = "x";
    EncodeVisits(views, bits);
    EXPECT_EQ(bits, "");
    for (size_t i = 0; i < count; i += 3) views[i].begins_visit = true;
    EncodeVisits(views, bits);
    std::vector<DecodedView> read(count);
    ASSERT_TRUE(ApplyDecisions({.visits = bits}, read).ok());
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(read[i].begins_visit, i % 3 == 0) << i;
    EXPECT_LE(Encoded({.visits = bits, .cool_downs = bits}).size(), ViewsHead::BytesMax(count));
    std::vector<DecodedView> more(count + 8);
    EXPECT_TRUE(absl::IsDataLoss(ApplyDecisions({.visits = bits}, more)));
  }
}

TEST(ViewRecord, WhichViewsCameTooSoonIsReadAsWritten) {
  for (const size_t count : {1, 7, 8, 9, 100}) {
    std::vector<DecodedView> sent(count);
    // Each five views are two by known viewers, one by a bot, and two without a viewer.
    for (size_t i = 0; i < count; ++i) {
      sent[i] = {.viewer = i % 5 < 3 ? i + 1 : 0, .count = static_cast<uint32_t>(i + 2), .bot = i % 5 == 2};
    }
    std::vector<DecodedView> decided = sent;
    for (size_t i = 0; i < count; ++i) {
      if (decided[i].by_known_viewer()) decided[i].count = i % 5 == 0 ? 0 : 1;
    }
    std::string bits;
    EncodeCoolDowns(decided, bits);
    std::vector<DecodedView> read = sent;
    ASSERT_TRUE(ApplyDecisions({.cool_downs = bits}, read).ok());
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(read[i].count, decided[i].count) << i;
    ASSERT_TRUE(ApplyDecisions({}, read = sent).ok());
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(read[i].count, sent[i].count) << i;
    std::vector<DecodedView> more(count + 8);
    EXPECT_TRUE(absl::IsDataLoss(ApplyDecisions({.cool_downs = bits}, more)));
  }
}

TEST(ViewRecord, SitesAreReadAsWritten) {
  const Site site = *MakeSite("news", {"Asia/Ho_Chi_Minh"});
  const auto parsed = ParseSite(EncodeSite(site));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->name, "news");
  EXPECT_EQ(parsed->settings.time_zone, "Asia/Ho_Chi_Minh");
  EXPECT_EQ(parsed->seed, site.seed);
  EXPECT_TRUE(parsed->settings.allowed_origins.empty());
}

TEST(ViewRecord, OriginsOfSitesAreReadAsWritten) {
  Site site = *MakeSite("news", {"Asia/Ho_Chi_Minh", {"https://b.example", "http://localhost:8000"}});
  site.SetAliases({{"a b", {"c/d", 1'750'000'000'000}}});
  const auto parsed = ParseSite(EncodeSite(site));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->settings.allowed_origins, site.settings.allowed_origins);
  EXPECT_EQ(parsed->settings.time_zone, "Asia/Ho_Chi_Minh");
  EXPECT_EQ(parsed->alias_entries(), site.alias_entries());
}

TEST(ViewRecord, SitesOfEarlierJournalsAreRead) {
  EXPECT_EQ(EncodeSite(*MakeSite("news", {"UTC"})), "news\nUTC\n");
  const auto parsed = ParseSite("news\nAsia/Tokyo\nfrom\ninto\n12\n");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->settings.time_zone, "Asia/Tokyo");
  EXPECT_TRUE(parsed->settings.allowed_origins.empty());
  EXPECT_EQ(parsed->alias_entries(), (AliasEntries{{"from", {"into", 12}}}));
}

TEST(ViewRecord, SitesThatNobodyWroteAreRefused) {
  for (const char* payload : {"", "\n", "news\nUTC\nmore\n", "news\nNo/Where\n", "\nUTC\n", "news\nUTC \n",
                              "news\nUTC nowhere\n", "news\nUTC https://a.example/\n"}) {
    EXPECT_FALSE(ParseSite(payload).ok()) << payload;
  }
}

// Journals of earlier versions must be read, so these bytes never change.
TEST(ViewRecord, HeadsAndTotalsTakeTheseBytes) {
  EXPECT_EQ(Encoded({.receipt_unix_ms = 0x0102030405060708, .visits = "v", .cool_downs = "cc"}),
            std::string("\x08\x07\x06\x05\x04\x03\x02\x01\x03\x01\0v\x02\0cc", 16));
  EXPECT_EQ(Encoded({.receipt_unix_ms = -1}), std::string(8, '\xff') + '\0');
  JournaledTotals totals{.unix_ms = -2};
  totals.views.front() = 0x0304;
  totals.views.back() = 5;
  std::string bytes(8 + 8 * limits::kShards, '\0');
  bytes.replace(0, 8, "\xfe\xff\xff\xff\xff\xff\xff\xff");
  bytes.replace(8, 2, "\x04\x03");
  bytes[bytes.size() - 8] = 5;
  EXPECT_EQ(EncodeTotals(totals), bytes);
}

TEST(ViewRecord, TotalsAreReadAsWritten) {
  JournaledTotals totals{.unix_ms = 1'750'000'000'000};
  for (size_t i = 0; i < totals.views.size(); ++i) totals.views[i] = i << 40;
  const std::string payload = EncodeTotals(totals);
  const auto parsed = ParseTotals(payload);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->unix_ms, totals.unix_ms);
  EXPECT_EQ(parsed->views, totals.views);
  EXPECT_TRUE(absl::IsDataLoss(ParseTotals(payload + "x").status()));
  EXPECT_TRUE(absl::IsDataLoss(ParseTotals(payload.substr(1)).status()));
  EXPECT_TRUE(absl::IsDataLoss(ParseTotals("").status()));
}

}  // namespace
}  // namespace viewcount
