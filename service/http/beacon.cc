#include "service/http/beacon.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "service/base/limits.h"
#include "service/model/article_id.h"

namespace viewcount {
namespace {

constexpr std::string_view kBegin = "POST /v1/sites/";
constexpr std::string_view kRest = "/views HTTP/1.1\r\n";
constexpr std::string_view kArticleBegin = "{\"articleId\":\"";
constexpr std::string_view kAddressBegin = "{\"address\":\"";
constexpr std::string_view kCanonicalBegin = "{\"canonicalAddress\":\"";
constexpr std::string_view kBodyEnd = "\"}";
// A length with more digits exceeds every body with a valid article ID.
constexpr size_t kLengthDigitsMax = 4;

// Maps each byte that a field name may contain to lower case (RFC 9110, section 5.6.2), and all other bytes to 0.
constexpr std::array<char, 256> kNameBytes = [] {
  std::array<char, 256> bytes{};
  for (const char byte : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"))
    bytes[static_cast<uint8_t>(byte)] = byte;
  for (char byte = 'A'; byte <= 'Z'; ++byte) bytes[static_cast<uint8_t>(byte)] = static_cast<char>(byte - 'A' + 'a');
  return bytes;
}();

// Returns true for bytes that never need an escape in an address (RFC 3986, section 2.3). Site names consist of such
// bytes.
bool IsUnreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
         byte == '.' || byte == '_' || byte == '~';
}

bool IsPrintable(std::string_view text) {
  uint64_t word;
  while (text.size() >= sizeof(word)) {
    std::memcpy(&word, text.data(), sizeof(word));
    if (!IsPrintableAscii(word)) return false;
    text.remove_prefix(sizeof(word));
  }
  return std::ranges::all_of(text, [](char byte) { return byte >= ' ' && byte <= '~'; });
}

// Returns true if `name` equals `small`, ignoring case. `small` must be in lower case.
bool IsCalled(std::string_view name, std::string_view small) {
  return std::ranges::equal(name, small, {}, [](char byte) { return kNameBytes[static_cast<uint8_t>(byte)]; });
}

// The values of the fields that a beacon uses.
struct Fields {
  std::string_view host;
  std::string_view length;
  std::string_view origin;
  std::string_view referer;
  std::string_view agent;
  std::string_view forwarded_for;
  ViewerTraits traits;
};

// Sets `value` unless it is already set. Returns false for repeated and for empty fields, which the general parser
// handles.
bool SetOnce(std::string_view text, std::string_view& value) {
  if (!value.empty() || text.empty()) return false;
  value = text;
  return true;
}

// Stores the field if a beacon uses it. Returns false if the request needs the general parser. The fields of
// kPurposeFields and of visitor.h are among those that do.
bool TakeField(std::string_view name, std::string_view value, Fields& fields) {
  switch (name.size()) {
    case 4:
      return !IsCalled(name, "host") || SetOnce(value, fields.host);
    case 5:
      return !IsCalled(name, "x-moz");
    case 6:
      if (IsCalled(name, "origin")) return SetOnce(value, fields.origin);
      return !IsCalled(name, "expect");
    case 7:
      if (IsCalled(name, "referer")) return SetOnce(value, fields.referer);
      return !IsCalled(name, "upgrade") && !IsCalled(name, "purpose");
    case 9:
      return !IsCalled(name, "sec-ch-ua") || SetOnce(value, fields.traits.brands);
    case 10:
      if (IsCalled(name, "user-agent")) return value.size() <= limits::kAgentBytesMax && SetOnce(value, fields.agent);
      return !IsCalled(name, "connection") || IsCalled(value, "keep-alive");
    case 11:
      return !IsCalled(name, "sec-purpose");
    case 14:
      return !IsCalled(name, "content-length") || SetOnce(value, fields.length);
    case 15:
      if (IsCalled(name, "accept-language")) return SetOnce(value, fields.traits.languages);
      return !IsCalled(name, "x-forwarded-for") || SetOnce(value, fields.forwarded_for);
    case 16:
      if (IsCalled(name, "sec-ch-ua-mobile")) return SetOnce(value, fields.traits.mobile);
      return !IsCalled(name, "proxy-connection");
    case 17:
      return !IsCalled(name, "transfer-encoding");
    case 18:
      return !IsCalled(name, "sec-ch-ua-platform") || SetOnce(value, fields.traits.platform);
    case 25:
      return !IsCalled(name, "x-viewcount-visitor-agent");
    case 27:
      return !IsCalled(name, "x-viewcount-visitor-address");
    default:
      return true;
  }
}

// Reads one field. `line` excludes the line's end.
bool ReadField(std::string_view line, Fields& fields) {
  const size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);
  if (!std::ranges::all_of(name, [](char byte) { return kNameBytes[static_cast<uint8_t>(byte)] != 0; })) return false;
  std::string_view value = line.substr(colon + 1);
  if (!IsPrintable(value)) return false;
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  value = value.substr(0, value.find_last_not_of(' ') + 1);
  return TakeField(name, value, fields);
}

// Reads the fields that begin at `at`, and the empty line after them. Returns the offset of the body, or nothing if the
// general parser is needed.
std::optional<size_t> ReadFields(std::string_view received, size_t at, Fields& fields) {
  while (true) {
    const size_t end = received.find('\n', at);
    if (end == std::string_view::npos || end == at || received[end - 1] != '\r') return std::nullopt;
    if (end == at + 1) return end + 1;
    if (!ReadField(received.substr(at, end - 1 - at), fields)) return std::nullopt;
    at = end + 1;
  }
}

// Returns what stands between `begin` and the end of the body, or an empty text if the body is different.
std::string_view Between(std::string_view begin, std::string_view body) {
  if (body.size() < begin.size() + kBodyEnd.size() || !body.starts_with(begin) || !body.ends_with(kBodyEnd)) return {};
  return body.substr(begin.size(), body.size() - begin.size() - kBodyEnd.size());
}

bool ReadBody(std::string_view body, Beacon& beacon) {
  beacon.article_id = Between(kArticleBegin, body);
  if (beacon.article_id.empty()) beacon.address = Between(kAddressBegin, body);
  if (beacon.article_id.empty() && beacon.address.empty()) {
    beacon.address = Between(kCanonicalBegin, body);
    beacon.address_kind = AddressKind::kCanonical;
  }
  const std::string_view text = beacon.article_id.empty() ? beacon.address : beacon.article_id;
  return !text.empty() && IsPrintable(text) && text.find_first_of("\"\\") == std::string_view::npos;
}

}  // namespace

std::optional<Beacon> ReadBeacon(std::string_view received) {
  if (!received.starts_with(kBegin)) return std::nullopt;
  const std::string_view header = received.substr(0, limits::kHttpHeaderBytesMax);
  const size_t site_end = header.find('/', kBegin.size());
  if (site_end == std::string_view::npos || !header.substr(site_end).starts_with(kRest)) return std::nullopt;
  Fields fields;
  const auto body = ReadFields(header, site_end + kRest.size(), fields);
  if (!body || fields.host.empty() || fields.length.size() > kLengthDigitsMax) return std::nullopt;
  size_t length = 0;
  const char* const digits_end = fields.length.data() + fields.length.size();
  const auto [stop, error] = std::from_chars(fields.length.data(), digits_end, length);
  if (error != std::errc() || stop != digits_end || received.size() - *body < length) return std::nullopt;
  Beacon beacon{.site = received.substr(kBegin.size(), site_end - kBegin.size()),
                .article_id = {},
                .address = {},
                .origin = fields.origin,
                .referer = fields.referer,
                .agent = fields.agent,
                .forwarded_for = fields.forwarded_for,
                .traits = fields.traits,
                .bytes = *body + length};
  if (!std::ranges::all_of(beacon.site, IsUnreserved)) return std::nullopt;
  if (!ReadBody(received.substr(*body, length), beacon)) return std::nullopt;
  return beacon;
}

}  // namespace viewcount
