#include "bench/load/http_answer.h"

#include <absl/strings/match.h>

#include <charconv>

namespace viewcount::bench {
namespace {

constexpr std::string_view kVersion = "HTTP/1.";
// The status follows `HTTP/1.1 `.
constexpr size_t kStatusAt = kVersion.size() + 2;
constexpr size_t kStatusDigits = 3;

template <typename Number>
bool ReadNumber(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool Is(std::string_view text, std::string_view other) {
  return absl::EqualsIgnoreCase(absl::string_view(text.data(), text.size()),
                                absl::string_view(other.data(), other.size()));
}

HttpAnswer Unreadable() { return {.state = HttpAnswer::State::kUnreadable}; }

}  // namespace

HttpAnswer ReadHttpAnswer(std::string_view bytes) {
  const size_t header_end = bytes.find("\r\n\r\n");
  if (header_end == std::string_view::npos) return {};
  HttpAnswer answer;
  if (!bytes.starts_with(kVersion) || !ReadNumber(bytes.substr(kStatusAt, kStatusDigits), answer.status))
    return Unreadable();
  size_t body = 0;
  bool has_length = answer.status == 204 || answer.status == 304;
  for (size_t at = bytes.find("\r\n"); at < header_end;) {
    at += 2;
    const size_t end = bytes.find("\r\n", at);
    const size_t colon = bytes.find(':', at);
    if (colon > end) return Unreadable();
    const std::string_view name = bytes.substr(at, colon - at);
    const size_t value_at = bytes.find_first_not_of(' ', colon + 1);
    const std::string_view value = bytes.substr(value_at, end - value_at);
    if (Is(name, "content-length")) {
      if (!ReadNumber(value, body)) return Unreadable();
      has_length = true;
    } else if (Is(name, "connection")) {
      answer.closes = Is(value, "close");
    }
    at = end;
  }
  if (!has_length) return Unreadable();
  answer.bytes = header_end + 4 + body;
  if (bytes.size() >= answer.bytes) answer.state = HttpAnswer::State::kComplete;
  return answer;
}

}  // namespace viewcount::bench
