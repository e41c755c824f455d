// Builds the excerpt of a bad line that may be shown, without any client's address.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "client/cli/access_log.h"

namespace viewcount::cli {
namespace {

constexpr size_t kExcerptMax = 100;
// The length of the part of the line that is used, before masking and escaping.
constexpr size_t kConsideredMax = 512;

bool IsAddressCharacter(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == '.' || c == ':'; }

bool IsAddress(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

// Returns the length of the longest address that begins at `at`, or 0 if none does. A port or a full stop may follow
// the address.
size_t AddressAt(std::string_view text, size_t at) {
  size_t end = at;
  while (end < text.size() && end - at < INET6_ADDRSTRLEN && IsAddressCharacter(text[end])) ++end;
  for (; end > at + 1; --end) {
    if (IsAddress(std::string(text.substr(at, end - at)))) return end - at;
  }
  return 0;
}

std::string Escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '\\') return "\\\\";
  if (byte >= 0x20 && byte < 0x7F) return {c};
  return fmt::format("\\x{:02x}", byte);
}

}  // namespace

std::string SafeExcerpt(std::string_view line) {
  line.remove_prefix(std::min({line.find(' '), line.size()}));
  line = line.substr(0, kConsideredMax);
  std::string excerpt;
  for (size_t at = 0; at < line.size();) {
    const size_t address = AddressAt(line, at);
    const std::string part = address != 0 ? "(address)" : Escape(line[at]);
    if (excerpt.size() + part.size() > kExcerptMax - 3) return excerpt + "...";
    excerpt += part;
    at += std::max<size_t>(address, 1);
  }
  return excerpt;
}

}  // namespace viewcount::cli
