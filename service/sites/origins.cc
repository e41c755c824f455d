#include "service/sites/origins.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

constexpr std::string_view kWildcard = "*.";
constexpr size_t kHostBytesMax = 253;
constexpr size_t kLabelBytesMax = 63;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

// Registered names contain no underscores, but names within companies do, and browsers accept them.
bool IsLabel(std::string_view label) {
  if (label.empty() || label.size() > kLabelBytesMax || label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '_'; });
}

// Returns true if a label is a number. Browsers interpret a host whose last label is a number as an IPv4 address, and
// write it as four decimal numbers.
bool IsNumber(std::string_view label) {
  const bool hexadecimal = label.starts_with("0x");
  if (hexadecimal) label.remove_prefix(2);
  return std::all_of(label.begin(), label.end(),
                     [&](char c) { return IsDigit(c) || (hexadecimal && c >= 'a' && c <= 'f'); });
}

bool IsIpv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsName(const std::string& host) {
  if (host.size() > kHostBytesMax) return false;
  std::string_view rest = host;
  while (true) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    if (!IsLabel(label)) return false;
    if (label.size() == rest.size()) return !IsNumber(label) || IsIpv4(host);
    rest.remove_prefix(label.size() + 1);
  }
}

// Returns the shortest form of an IPv6 address, as browsers write it. Returns nothing if it contains an IPv4 address,
// because browsers write that differently from inet_ntop.
std::optional<std::string> ShortIpv6(const std::string& text) {
  in6_addr address{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> shortest{};
  inet_ntop(AF_INET6, &address, shortest.data(), shortest.size());
  std::string host = fmt::format("[{}]", shortest.data());
  return host.find('.') == std::string::npos ? std::optional(host) : std::nullopt;
}

// Removes the host from the front of `rest` and returns it. Returns nothing if it is invalid.
std::optional<std::string> TakeHost(std::string_view& rest) {
  if (!rest.starts_with('[')) {
    std::string host = Lower(rest.substr(0, rest.find(':')));
    rest.remove_prefix(host.size());
    return IsName(host) ? std::optional(std::move(host)) : std::nullopt;
  }
  const size_t end = rest.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string address(rest.substr(1, end - 1));
  rest.remove_prefix(end + 1);
  // inet_pton would read such an address only up to the NUL character.
  return address.find('\0') == std::string::npos ? ShortIpv6(address) : std::nullopt;
}

// Like TakeHost, for a host whose first label may be a wildcard.
std::optional<std::string> TakeHostOrWildcard(std::string_view& rest) {
  if (!rest.starts_with(kWildcard)) return TakeHost(rest);
  rest.remove_prefix(kWildcard.size());
  auto host = TakeHost(rest);
  // A whole top-level domain would be a mistake, and an IPv4 address has no names below it.
  if (!host || host->find('.') == std::string::npos || IsIpv4(*host) || host->front() == '[') return std::nullopt;
  return std::string(kWildcard) + *host;
}

absl::Status NoOrigin(std::string_view why) { return absl::InvalidArgumentError(ToAbsl(why)); }

}  // namespace

absl::StatusOr<std::string> NormalizedOrigin(std::string_view text) {
  if (text == "*") return NoOrigin("a wildcard alone is no origin; without any origin all are allowed");
  const size_t colon = text.find("://");
  const std::string scheme = Lower(text.substr(0, colon));
  if (colon == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return NoOrigin("must begin with http:// or https://, such as https://news.example.org");
  }
  std::string_view rest = text.substr(colon + 3);
  if (rest.find_first_of("/?#@") != std::string_view::npos) {
    return NoOrigin("must be scheme, host and perhaps port only: no path, no trailing slash, no user");
  }
  const bool wildcard = rest.starts_with(kWildcard);
  const auto host = TakeHostOrWildcard(rest);
  if (!host && wildcard)
    return NoOrigin("a wildcard stands before a name with two labels or more: https://*.example.org");
  if (!host) return NoOrigin("its host is none; a name in other letters than a-z is written as browsers do: xn--…");
  if (rest.empty()) return scheme + "://" + *host;
  uint16_t port = 0;
  const auto [stop, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
  if (rest.front() != ':' || error != std::errc() || stop != rest.data() + rest.size() || port == 0) {
    return NoOrigin("its port must be 1 to 65535");
  }
  if (port == (scheme == "http" ? 80 : 443)) return scheme + "://" + *host;
  return fmt::format("{}://{}:{}", scheme, *host, port);
}

bool StandsFor(std::string_view allowed, std::string_view origin) {
  const size_t wildcard = allowed.find("://*.");
  if (wildcard == std::string_view::npos) return allowed == origin;
  const size_t host = wildcard + 3;
  const std::string_view scheme = allowed.substr(0, host);
  const std::string_view suffix = allowed.substr(host + 1);
  if (!origin.starts_with(scheme) || !origin.ends_with(suffix) || origin.size() <= scheme.size() + suffix.size())
    return false;
  const std::string_view labels = origin.substr(host, origin.size() - scheme.size() - suffix.size());
  return labels.find_first_of(":/@?#") == std::string_view::npos && labels.front() != '.';
}

absl::StatusOr<std::vector<std::string>> NormalizedOrigins(const std::vector<std::string>& texts) {
  if (texts.size() > limits::kSiteOriginsMax) {
    return InvalidField("site.allowed_origins", fmt::format("must be at most {}", limits::kSiteOriginsMax));
  }
  std::vector<std::string> origins;
  for (size_t i = 0; i < texts.size(); ++i) {
    auto origin = NormalizedOrigin(texts[i]);
    if (!origin.ok()) {
      return InvalidField(fmt::format("site.allowed_origins[{}]", i), ToStd(origin.status().message()));
    }
    origins.push_back(*std::move(origin));
  }
  std::sort(origins.begin(), origins.end());
  origins.erase(std::unique(origins.begin(), origins.end()), origins.end());
  return origins;
}

}  // namespace viewcount
