#include "service/base/redis_address.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "service/base/status.h"

namespace viewcount {
namespace {

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(
      fmt::format("--redis: {}; use redis://[user:password@]host:port/database or redis+unix:///path", what));
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

template <typename Number>
std::optional<Number> NumberOf(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      plain.push_back(static_cast<char>(value));
      i += 2;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

absl::StatusOr<RedisAddress> ParseSocket(std::string_view rest) {
  RedisAddress address;
  if (const size_t query = rest.find("?db="); query != std::string_view::npos) {
    const auto database = NumberOf<uint32_t>(rest.substr(query + 4));
    if (!database) return Wrong("the database must be a number");
    address.database = *database;
    rest = rest.substr(0, query);
  }
  if (!rest.starts_with('/') || rest.size() < 2) return Wrong("the socket's path must be absolute");
  address.socket_path = rest;
  return address;
}

}  // namespace

std::string RedisAddress::ToString() const {
  if (!socket_path.empty()) return socket_path;
  return fmt::format("{}:{}/{}", host.find(':') == std::string::npos ? host : "[" + host + "]", port, database);
}

absl::StatusOr<RedisAddress> ParseRedisAddress(std::string_view url) {
  if (url.starts_with("redis+sentinel://") || url.starts_with("redis+cluster://")) {
    return NotBuiltYet("Redis Sentinel and Redis Cluster");
  }
  if (url.starts_with("rediss://")) return NotBuiltYet("TLS to Redis");
  if (TakePrefix(url, "redis+unix://")) return ParseSocket(url);
  if (!TakePrefix(url, "redis://")) return Wrong("unknown kind of address");
  RedisAddress address;
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = url.substr(0, at);
    const size_t colon = credentials.find(':');
    if (colon == std::string_view::npos) return Wrong("credentials are user:password or :password");
    address.user = Unescape(credentials.substr(0, colon));
    address.password = Unescape(credentials.substr(colon + 1));
    url.remove_prefix(at + 1);
  }
  if (const size_t slash = url.find('/'); slash != std::string_view::npos) {
    const std::string_view text = url.substr(slash + 1);
    const auto database = NumberOf<uint32_t>(text);
    if (!text.empty() && !database) return Wrong("the database must be a number");
    address.database = database.value_or(0);
    url = url.substr(0, slash);
  }
  const size_t bracket = url.rfind(']');
  if (const size_t colon = url.rfind(':');
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = NumberOf<uint16_t>(url.substr(colon + 1));
    if (!port || *port == 0) return Wrong("the port must be 1 to 65535");
    address.port = *port;
    url = url.substr(0, colon);
  }
  if (url.starts_with('[') && url.ends_with(']')) url = url.substr(1, url.size() - 2);
  if (url.empty()) return Wrong("the host is missing");
  address.host = url;
  return address;
}

std::string WithoutPassword(std::string_view url) {
  constexpr std::string_view kScheme = "redis://";
  const size_t at = url.rfind('@');
  if (!url.starts_with(kScheme) || at == std::string_view::npos) return std::string(url);
  const size_t colon = url.find(':', kScheme.size());
  const size_t secret = colon < at ? colon + 1 : kScheme.size();
  return std::string(url.substr(0, secret)) + "***" + std::string(url.substr(at));
}

}  // namespace viewcount
