// Tests that numbers become the bytes that the file formats specify, whatever the machine.
#include "service/base/little_endian.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace viewcount {
namespace {

using namespace std::string_view_literals;

template <typename T>
constexpr bool kMayBeCoded = little_endian::Number<T>;
static_assert(kMayBeCoded<uint8_t> && kMayBeCoded<uint16_t> && kMayBeCoded<uint32_t> && kMayBeCoded<uint64_t>);
static_assert(!kMayBeCoded<int64_t> && !kMayBeCoded<char> && !kMayBeCoded<bool> && !kMayBeCoded<double>);

template <typename N>
class LittleEndianTest : public ::testing::Test {};
using Numbers = ::testing::Types<uint8_t, uint16_t, uint32_t, uint64_t>;
TYPED_TEST_SUITE(LittleEndianTest, Numbers);

TYPED_TEST(LittleEndianTest, NumbersComeBack) {
  constexpr auto kMax = std::numeric_limits<TypeParam>::max();
  for (const TypeParam number : {TypeParam{0}, TypeParam{1}, TypeParam{0x7f}, static_cast<TypeParam>(kMax - 1), kMax}) {
    std::string text;
    little_endian::Append(text, number);
    ASSERT_EQ(text.size(), sizeof(TypeParam));
    EXPECT_EQ(little_endian::Load<TypeParam>(text.data()), number);
    std::string_view rest = text;
    EXPECT_EQ(little_endian::Take<TypeParam>(rest), number);
    EXPECT_TRUE(rest.empty());
  }
}

TEST(LittleEndianBytesTest, TheLowestByteComesFirst) {
  std::string text;
  little_endian::Append(text, uint8_t{0x01});
  little_endian::Append(text, uint16_t{0x0302});
  little_endian::Append(text, uint32_t{0x07060504});
  little_endian::Append(text, uint64_t{0x0F0E0D0C0B0A0908});
  EXPECT_EQ(text, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F"sv);
}

TEST(LittleEndianBytesTest, TakeLeavesTheBytesAfterTheNumber) {
  std::string_view text = "\x02\x01\x04\x03\x05"sv;
  EXPECT_EQ(little_endian::Take<uint16_t>(text), 0x0102);
  EXPECT_EQ(little_endian::Take<uint16_t>(text), 0x0304);
  EXPECT_EQ(text, "\x05");
}

// An odd address is not aligned for any number of more than one byte.
TEST(LittleEndianBytesTest, StoreAndLoadTakeAnyAddressAndTouchNoOtherByte) {
  alignas(8) std::array<unsigned char, 10> bytes;
  bytes.fill(0xEE);
  little_endian::Store(&bytes[1], uint64_t{0x0807060504030201});
  EXPECT_EQ(bytes, (std::array<unsigned char, 10>{0xEE, 1, 2, 3, 4, 5, 6, 7, 8, 0xEE}));
  EXPECT_EQ(little_endian::Load<uint64_t>(&bytes[1]), 0x0807060504030201);
  EXPECT_EQ(little_endian::Load<uint32_t>(&bytes[3]), 0x06050403u);
}

TEST(LittleEndianDeathTest, TakeChecksThatTheNumberIsThere) {
  std::string_view text = "\x01\x02\x03"sv;
  EXPECT_DEATH(little_endian::Take<uint32_t>(text), "check failed");
}

}  // namespace
}  // namespace viewcount
