#include "service/http/client_trust.h"

#include <algorithm>
#include <boost/beast/http/field.hpp>

namespace viewcount {
namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view kForwardedFor = "X-Forwarded-For";

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Removes the last entry of the list and returns it. If it was the only entry, `list` becomes empty (nullopt).
std::string_view TakeLast(std::optional<std::string_view>& list) {
  const size_t comma = list->rfind(',');
  const std::string_view entry = comma == std::string_view::npos ? *list : list->substr(comma + 1);
  if (comma == std::string_view::npos) {
    list.reset();
  } else {
    list = list->substr(0, comma);
  }
  return Trim(entry);
}

// Returns the address of an entry. Proxies may append a port, and then write brackets around an IPv6 address. The
// system may append the network interface to an address that is valid only there.
std::optional<ip::address> AddressOfEntry(std::string_view entry) {
  std::string_view port;
  if (entry.starts_with('[')) {
    const size_t end = std::min(entry.find(']'), entry.size() - 1);
    port = entry.substr(end + 1);
    if (entry[end] != ']' || (!port.empty() && port[0] != ':')) return std::nullopt;
    entry = entry.substr(1, end - 1);
  } else if (const size_t colon = entry.find(':'); colon == entry.rfind(':') && colon != std::string_view::npos) {
    port = entry.substr(colon);
    entry = entry.substr(0, colon);
  }
  if (port.find_first_not_of("0123456789", 1) != std::string_view::npos) return std::nullopt;
  return ParseAddress(entry.substr(0, entry.find('%')));
}

}  // namespace

std::optional<std::string> ListOf(const HttpFields& fields, std::string_view name) {
  std::optional<std::string> list;
  const auto [begin, end] = fields.equal_range(name);
  for (auto field = begin; field != end; ++field) {
    const std::string_view value(field->value().data(), field->value().size());
    if (list) {
      list->append(",").append(value);
    } else {
      list.emplace(value);
    }
  }
  return list;
}

std::optional<ip::address> ClientTrust::Follow(ip::address address, std::optional<std::string_view> list) const {
  while (list && proxies_.Contains(address)) {
    const auto before = AddressOfEntry(TakeLast(list));
    if (!before) return std::nullopt;
    address = *before;
  }
  return address;
}

Client ClientTrust::Find(const HttpFields& fields, const ip::address& peer) const {
  const auto forwarded_for = ListOf(fields, kForwardedFor);
  const bool has_origin = fields.count(boost::beast::http::field::origin) > 0;
  return Find(forwarded_for ? std::optional<std::string_view>(*forwarded_for) : std::nullopt, has_origin, peer);
}

Client ClientTrust::Find(std::optional<std::string_view> forwarded_for, bool has_origin,
                         const ip::address& peer) const {
  // The peer is not one of our proxies, so its X-Forwarded-For is not trusted.
  if (forwarded_for && !proxies_.Contains(peer)) return {.address = peer};
  const auto address = Follow(peer, forwarded_for);
  if (!address) return {.address = peer, .known = false};
  // Browsers send the origin of the page. A browser may run on a backend's machine, but its requests are still a
  // browser's.
  return {.address = *address, .trusted_backend = !has_origin && backends_.Contains(*address)};
}

std::optional<ip::address> ClientTrust::FindNamed(std::string_view list) const {
  std::optional<std::string_view> rest = list;
  const auto address = AddressOfEntry(TakeLast(rest));
  if (!address) return std::nullopt;
  return Follow(*address, rest);
}

}  // namespace viewcount
