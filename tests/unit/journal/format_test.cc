// Tests the bytes that FORMAT.md specifies.
#include "service/journal/format.h"

#include <gtest/gtest.h>

#include "service/base/crc32c.h"

namespace viewcount {
namespace {

const LaneId kLane{{1, 2, 3}};

TEST(Crc32cTest, GivesTheKnownSum) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("6789", Crc32c("12345")), 0xE3069283u);
}

TEST(FormatTest, ASegmentHeaderComesBack) {
  const SegmentHeader header{
      .lane = kLane, .start = {5'000}, .previous_start = {1'000}, .previous_last = {{4'900}, 0xABCDEF01}};
  EXPECT_EQ(DecodeSegmentHeader(EncodeSegmentHeader(header)), header);
}

TEST(FormatTest, ASegmentHeaderWithAnyBitFlippedIsBroken) {
  const auto good = EncodeSegmentHeader({.lane = kLane, .start = {5'000}});
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(DecodeSegmentHeader(bytes)) << bit;
  }
}

TEST(FormatTest, ARecordHeaderComesBackAtItsPositionInItsLaneOnly) {
  const RecordFormat format(kLane);
  char bytes[kRecordHeaderBytes];
  format.Encode({.type = RecordType::kSite, .begin = {700}, .group_begin = {600}, .payload_bytes = 9}, bytes);
  const auto header = format.Decode({700}, bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->type, RecordType::kSite);
  EXPECT_EQ(header->group_begin, Position{600});
  EXPECT_EQ(header->end(), Position{700 + kRecordHeaderBytes + 9});
  EXPECT_FALSE(format.Decode({701}, bytes));
  EXPECT_FALSE(RecordFormat(LaneId{{1, 2, 4}}).Decode({700}, bytes));
}

TEST(FormatTest, ARecordHeaderWithAnyBitFlippedIsBroken) {
  const RecordFormat format(kLane);
  char bytes[kRecordHeaderBytes];
  format.Encode({.type = RecordType::kViews, .begin = {700}, .group_begin = {600}, .payload_bytes = 9}, bytes);
  for (size_t bit = 0; bit < 8 * kRecordHeaderBytes; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(format.Decode({700}, bytes)) << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
}

TEST(FormatTest, ZerosAreNoRecord) {
  const char bytes[kRecordHeaderBytes] = {};
  EXPECT_FALSE(RecordFormat(kLane).Decode({0}, bytes));
}

}  // namespace
}  // namespace viewcount
