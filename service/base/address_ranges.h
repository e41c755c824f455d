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
// Returns the address in its IPv6 form. An IPv4 address gives the same bytes as its IPv6-mapped form.
AddressBytes BytesOfAddress(const boost::asio::ip::address& address);

// Parses an IPv4 or IPv6 address. Returns nothing if the text holds more: a port, brackets, or a network interface. An
// interface is refused because its name could be anything and means something else on every machine. Allocates no
// memory. Thread-safe.
std::optional<boost::asio::ip::address> ParseAddress(std::string_view text);

// A set of addresses. Thread-safe, since it does not change after construction. An IPv4 address and its IPv6-mapped
// form are the same address.
class AddressRanges {
 public:
  AddressRanges() = default;
  // Parses addresses and ranges such as 10.0.0.0/8, 127.0.0.1, fd00::/8 and ::1. An INVALID_ARGUMENT error names the
  // first text that is neither.
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
