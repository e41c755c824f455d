#include "service/base/address_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace viewcount {
namespace {

namespace ip = boost::asio::ip;

constexpr uint32_t kMappedBits = 96;
// The length of the longest text form: an IPv6 address that ends with an IPv4 address.
constexpr size_t kAddressBytesMax = 45;
constexpr std::string_view kAddressCharacters = "0123456789abcdefABCDEF:.";

// Returns true if the first `bits` bits of both addresses are equal.
bool SameBits(const AddressBytes& a, const AddressBytes& b, uint32_t bits) {
  const uint32_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const uint32_t rest = bits % 8;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

}  // namespace

std::optional<ip::address> ParseAddress(std::string_view text) {
  std::array<char, kAddressBytesMax + 1> ended{};
  // The characters are checked first, because Boost accepts any text after a percent sign.
  if (text.size() > kAddressBytesMax || text.find_first_not_of(kAddressCharacters) != std::string_view::npos) {
    return std::nullopt;
  }
  std::copy(text.begin(), text.end(), ended.begin());
  boost::system::error_code error;
  const auto address = ip::make_address(ended.data(), error);
  if (error) return std::nullopt;
  return address;
}

AddressBytes BytesOfAddress(const ip::address& address) {
  if (address.is_v4()) return ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes();
  return address.to_v6().to_bytes();
}

absl::StatusOr<AddressRanges> AddressRanges::Parse(std::span<const std::string> ranges) {
  AddressRanges result;
  for (const std::string& text : ranges) {
    const auto refused = absl::InvalidArgumentError(
        fmt::format("must be IP addresses or ranges such as 10.0.0.0/8 and fd00::/8, not \"{}\"", text));
    const size_t slash = text.find('/');
    const auto address = ParseAddress(std::string_view(text).substr(0, slash));
    if (!address) return refused;
    const uint32_t bits_max = address->is_v4() ? 32 : 128;
    uint32_t bits = bits_max;
    if (slash != std::string::npos) {
      const char* const end = text.data() + text.size();
      const auto [stop, failed] = std::from_chars(text.data() + slash + 1, end, bits);
      if (failed != std::errc() || stop != end || bits > bits_max) return refused;
    }
    result.ranges_.push_back({BytesOfAddress(*address), address->is_v4() ? bits + kMappedBits : bits});
  }
  return result;
}

bool AddressRanges::Contains(const ip::address& address) const {
  const AddressBytes bytes = BytesOfAddress(address);
  return std::ranges::any_of(ranges_, [&](const Range& range) { return SameBits(range.first, bytes, range.bits); });
}

}  // namespace viewcount
