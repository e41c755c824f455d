#include "service/http/client_trust.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <boost/beast/http/field.hpp>

#include "service/base/status.h"

namespace viewcount {
namespace {

namespace ip = boost::asio::ip;

constexpr std::string_view kForwarded = kForwardingHeaders.back();
constexpr std::string_view kNoAddress = "unknown";

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

bool HasOrigin(const HttpFields& fields) { return fields.count(boost::beast::http::field::origin) > 0; }

bool WasForwarded(const HttpFields& fields) {
  return std::any_of(kForwardingHeaders.begin(), kForwardingHeaders.end(),
                     [&](std::string_view name) { return fields.count(name) > 0; });
}

// Returns the position of the next `separator` that is not quoted, or the end.
size_t EndOf(std::string_view text, char separator) {
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (quoted && text[at] == '\\') ++at;
    if (!quoted && text[at] == separator) return at;
  }
  return text.size();
}

// Returns the client in an element of Forwarded, such as for="[2001:db8::1]:4711";proto=https, without the quotes. An
// element without one gives a text that is no address.
std::string_view NodeOf(std::string_view element) {
  while (!element.empty()) {
    const std::string_view pair = Trim(element.substr(0, EndOf(element, ';')));
    element.remove_prefix(std::min(element.size(), EndOf(element, ';') + 1));
    if (pair.size() < 4 || !absl::EqualsIgnoreCase(ToAbsl(pair.substr(0, 4)), "for=")) continue;
    std::string_view node = pair.substr(4);
    if (node.size() >= 2 && node.front() == '"' && node.back() == '"') node = node.substr(1, node.size() - 2);
    // A quoted comma must not become an entry of its own.
    return node.find(',') == std::string_view::npos ? node : kNoAddress;
  }
  return kNoAddress;
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

std::string ListOfForwarded(std::string_view value) {
  std::string list;
  while (true) {
    const std::string_view element = value.substr(0, EndOf(value, ','));
    list.append(list.empty() ? "" : ", ").append(NodeOf(element));
    if (element.size() == value.size()) return list;
    value.remove_prefix(element.size() + 1);
  }
}

std::optional<ip::address> ClientTrust::Follow(ip::address address, std::optional<std::string_view> list) const {
  while (list && options_.proxies.Contains(address)) {
    const auto before = AddressOfEntry(TakeLast(list));
    if (!before) return std::nullopt;
    address = *before;
  }
  return address;
}

Client ClientTrust::Find(const HttpFields& fields, const ip::address& peer) const {
  const auto list = NamedIn(fields);
  const Client client = FindIn(list, HasOrigin(fields), options_.is_private && WasForwarded(fields), peer);
  NoteUnnamed(client, list.has_value() && client.known, peer);
  return client;
}

Client ClientTrust::Find(std::optional<std::string_view> forwarded, bool has_origin, const ip::address& peer) const {
  return FindIn(forwarded, has_origin, forwarded.has_value(), peer);
}

bool ClientTrust::IsBackend(const HttpFields& fields, const ip::address& peer) const {
  return FindIn(NamedIn(fields), HasOrigin(fields), options_.is_private && WasForwarded(fields), peer).trusted_backend;
}

std::optional<std::string> ClientTrust::NamedIn(const HttpFields& fields) const {
  auto list = ListOf(fields, options_.header);
  return list && options_.header == kForwarded ? ListOfForwarded(*list) : list;
}

Client ClientTrust::FindIn(std::optional<std::string_view> list, bool has_origin, bool was_forwarded,
                           const ip::address& peer) const {
  // The peer is not one of our proxies, so the client that it names is not trusted.
  if (list && !options_.proxies.Contains(peer)) return {.address = peer};
  const auto address = Follow(peer, list);
  if (!address) return {.address = peer, .known = false};
  const bool is_backend = (options_.is_private && !was_forwarded) || options_.backends.Contains(*address);
  // Browsers send the origin of the page. A browser may run on a backend's machine, but its requests are still a
  // browser's.
  return {.address = *address, .trusted_backend = is_backend && !has_origin};
}

void ClientTrust::NoteUnnamed(const Client& client, bool named, const ip::address& peer) const {
  if (named || client.trusted_backend || !options_.unnamed || !options_.proxies.Contains(peer)) return;
  options_.unnamed(peer);
}

std::optional<ip::address> ClientTrust::FindNamed(std::string_view list) const {
  std::optional<std::string_view> rest = list;
  const auto address = AddressOfEntry(TakeLast(rest));
  if (!address) return std::nullopt;
  return Follow(*address, rest);
}

}  // namespace viewcount
