#include "client/cli/log_client.h"

#include <algorithm>

#include "client/cli/log_text.h"
#include "service/base/address_ranges.h"

namespace viewcount::cli {
namespace {

// Returns the value of `for=` in an element of a Forwarded header (RFC 7239). Returns any other text unchanged.
std::string_view ForwardedFor(std::string_view element) {
  auto rest = element;
  while (!rest.empty()) {
    const auto pair = Trim(TakeUntil(rest, ';'));
    if (pair.size() > 4 && EqualsIgnoringCase(pair.substr(0, 4), "for=")) return pair.substr(4);
  }
  return element;
}

// Returns the address of one element of a list.
std::optional<boost::asio::ip::address> AddressOfElement(std::string_view element) {
  auto text = Trim(ForwardedFor(Trim(element)));
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (!text.empty() && text[0] == '[') {
    text = text.substr(1, std::min(text.find(']'), text.size()) - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    // A single colon separates an IPv4 address from its port.
    text = text.substr(0, text.find(':'));
  }
  // The name of a network interface says nothing about the viewer.
  return ParseAddress(text.substr(0, text.find('%')));
}

}  // namespace

std::optional<boost::asio::ip::address> AddressOfClient(std::string_view field) {
  while (!field.empty()) {
    if (const auto address = AddressOfElement(TakeUntil(field, ','))) return address;
  }
  return std::nullopt;
}

bool IsHostName(std::string_view field) {
  const size_t dot = field.rfind('.');
  if (dot == field.npos || dot == 0 || dot + 1 == field.size() || field.size() > 253) return false;
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  return std::all_of(field.begin(), field.end(),
                     [&](char c) { return is_letter(c) || IsDecimal(c) || c == '-' || c == '.' || c == '_'; }) &&
         std::any_of(field.begin() + static_cast<ptrdiff_t>(dot), field.end(), is_letter);
}

}  // namespace viewcount::cli
