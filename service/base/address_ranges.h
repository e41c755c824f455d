// Sets of IP addresses, as lists of CIDR ranges.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

using AddressBytes = std::array<uint8_t, 16>;
// As IPv6 has it; an IPv4 address and its IPv6-mapped form are the same.
AddressBytes BytesOfAddress(const boost::asio::ip::address& address);

// An IPv4 or IPv6 address and nothing else: no port, no brackets, and no network interface, whose name could be
// anything and means another thing on each machine. Allocates nothing. Thread safe.
std::optional<boost::asio::ip::address> ParseAddress(std::string_view text);

// Immutable once made: any thread may read it. An IPv4 address and its IPv6-mapped form are the same.
class AddressRanges {
 public:
  AddressRanges() = default;
  // Reads addresses and ranges such as 10.0.0.0/8, 127.0.0.1, fd00::/8 and ::1. INVALID_ARGUMENT names the one that is
  // none.
  static absl::StatusOr<AddressRanges> Parse(std::span<const std::string> ranges);

  bool Contains(const boost::asio::ip::address& address) const;

 private:
  struct Range {
    AddressBytes first;
    uint32_t bits = 0;
  };

  std::vector<Range> ranges_;
};

}  // namespace viewcount
