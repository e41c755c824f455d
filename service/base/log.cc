#include "service/base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <memory>
#include <utility>

#include "service/base/check.h"
#include "service/base/text.h"

namespace viewcount {
namespace {

// In the order of spdlog's levels; the last two are used by spdlog itself only.
constexpr std::array<std::string_view, 7> kLevels = {"trace", "debug", "info", "warn", "error", "fatal", "off"};
constexpr size_t kChoosableLevels = 5;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The character at the front of `text`, as many bytes as it has; empty if they are no UTF-8.
std::string_view FirstCharacter(std::string_view text) {
  for (size_t size = 1; size <= std::min<size_t>(4, text.size()); ++size) {
    if (IsUtf8(text.substr(0, size))) return text.substr(0, size);
  }
  return {};
}

// U+0000 to U+001F, U+007F to U+009F, and the line separators U+2028 and U+2029.
bool IsControl(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (character.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  return character == "\u2028" || character == "\u2029";
}

// Calls plain(character), control(character) or invalid(byte) for all of `text`.
template <typename Plain, typename Control, typename Invalid>
void ForEachCharacter(std::string_view text, Plain plain, Control control, Invalid invalid) {
  while (!text.empty()) {
    const std::string_view character = FirstCharacter(text);
    if (character.empty()) {
      invalid(static_cast<unsigned char>(text[0]));
    } else if (IsControl(character)) {
      control(character);
    } else {
      plain(character);
    }
    text.remove_prefix(std::max<size_t>(character.size(), 1));
  }
}

// Code point of a control character as IsControl knows them.
unsigned CodePointOf(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0);
  if (character.size() == 2) return byte(1);  // C2 80 to C2 9F are U+0080 to U+009F
  return byte(2) == 0xA8 ? 0x2028 : 0x2029;
}

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::system_clock;
    const auto millis = duration_cast<milliseconds>(message.time.time_since_epoch()).count() % 1000;
    const auto time =
        fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(system_clock::to_time_t(message.time)), millis);
    const std::string_view level = kLevels[static_cast<size_t>(message.level)];
    const std::string_view text(message.payload.data(), message.payload.size());
    auto out = std::back_inserter(line);
    if (format_ == LogFormat::kText) {
      fmt::format_to(out, "{} {:5} {}\n", time, level, EscapeForText(text));
    } else {
      fmt::format_to(out, "{{\"time\":\"{}\",\"level\":\"{}\",\"message\":\"{}\"}}\n", time, level,
                     EscapeForJson(text));
    }
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(format_); }

 private:
  const LogFormat format_;
};

}  // namespace

bool IsLogLevel(std::string_view name) {
  return std::find(kLevels.begin(), kLevels.begin() + kChoosableLevels, name) != kLevels.begin() + kChoosableLevels;
}

std::string EscapeForText(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  const auto control = [&](std::string_view character) {
    const unsigned code = CodePointOf(character);
    if (code == '\n') {
      escaped += "\\n";
    } else if (code == '\r') {
      escaped += "\\r";
    } else if (code == '\t') {
      escaped += "\\t";
    } else if (code > 0xFF) {
      escaped += fmt::format("\\u{:04x}", code);
    } else {
      escaped += fmt::format("\\x{:02x}", code);
    }
  };
  ForEachCharacter(
      text, [&](std::string_view character) { escaped += character; }, control,
      [&](unsigned char byte) { escaped += fmt::format("\\x{:02x}", byte); });
  return escaped;
}

std::string EscapeForJson(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  const auto plain = [&](std::string_view character) {
    if (character == "\"" || character == "\\") escaped += '\\';
    escaped += character;
  };
  ForEachCharacter(
      text, plain, [&](std::string_view character) { escaped += fmt::format("\\u{:04x}", CodePointOf(character)); },
      [&](unsigned char) { escaped += kReplacement; });
  return escaped;
}

void InitLogging(LogFormat format, const std::string& level) {
  VIEWCOUNT_CHECK(IsLogLevel(level));
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<LineFormatter>(format));
  const auto index = std::find(kLevels.begin(), kLevels.end(), level) - kLevels.begin();
  logger->set_level(static_cast<spdlog::level::level_enum>(index));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace viewcount
