#include "service/grpc/http2/grpc_headers.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace viewcount {

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char symbol : text) {
    const auto byte = static_cast<unsigned char>(symbol);
    if (byte >= 0x20 && byte < 0x7F && byte != '%') {
      encoded += symbol;
    } else {
      encoded.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return encoded;
}

std::string Base64Encode(std::string_view bytes) {
  return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
}

std::optional<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text) {
  using std::chrono::nanoseconds;
  // gRPC's protocol allows at most eight digits. Values in hours and minutes are limited below, so that they do not
  // overflow.
  constexpr size_t kDigitsMax = 8;
  if (text.size() < 2 || text.size() > kDigitsMax + 1) return std::nullopt;
  int64_t value = 0;
  const char* const unit = text.data() + text.size() - 1;
  if (const auto [end, error] = std::from_chars(text.data(), unit, value); error != std::errc() || end != unit)
    return std::nullopt;
  if (!absl::ascii_isdigit(static_cast<unsigned char>(text.front()))) return std::nullopt;
  switch (*unit) {
    case 'H':
      // Time-outs beyond 100 days are treated as 100 days, which avoids an overflow.
      return std::min<nanoseconds>(std::chrono::hours(std::min<int64_t>(value, 2'400)), std::chrono::hours(2'400));
    case 'M':
      return std::chrono::minutes(std::min<int64_t>(value, 144'000));
    case 'S':
      return std::chrono::seconds(value);
    case 'm':
      return std::chrono::milliseconds(value);
    case 'u':
      return std::chrono::microseconds(value);
    case 'n':
      return nanoseconds(value);
    default:
      return std::nullopt;
  }
}

}  // namespace viewcount
