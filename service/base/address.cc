#include "service/base/address.h"

#include <absl/status/status.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace viewcount {
namespace {

constexpr char kForm[] =
    "must be host:port or [IPv6]:port, such as 127.0.0.1:7400 or [::1]:7400, with a port from 0 to 65535";

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool IsIpv6Character(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

std::optional<HostPort> Parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);

  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos || !std::ranges::all_of(host, IsIpv6Character)) return std::nullopt;
  } else if (host.empty() || !std::ranges::all_of(host, IsHostCharacter)) {
    return std::nullopt;
  }
  HostPort result{std::string(host), 0};
  const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (error != std::errc() || stop != port.data() + port.size()) return std::nullopt;
  return result;
}

}  // namespace

std::string HostPort::ToString() const {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  // One byte of sun_path is needed for the terminating zero.
  constexpr size_t kPathBytesMax = sizeof(sockaddr_un{}.sun_path) - 1;
  if (!text.starts_with(kUnix)) {
    auto parsed = Parse(text);
    if (parsed) return ListenAddress{.tcp = *std::move(parsed)};
    return absl::InvalidArgumentError(std::string(kForm) + "; or unix:PATH");
  }
  std::string_view path = text.substr(kUnix.size());
  if (path.starts_with("//")) path.remove_prefix(2);
  if (path.empty() || path.size() > kPathBytesMax || path.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("must have a path of 1 to " + std::to_string(kPathBytesMax) +
                                      " bytes after unix:");
  }
  return ListenAddress{.socket_path = std::string(path)};
}

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  auto parsed = Parse(text);
  if (!parsed) return absl::InvalidArgumentError(kForm);
  return *std::move(parsed);
}

}  // namespace viewcount
