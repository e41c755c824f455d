#include "service/base/log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>

#include "service/base/check.h"
#include "service/base/text.h"
#include "service/base/unique_fd.h"

namespace viewcount {
namespace {

// The names are in the order of spdlog's levels. The last two are used by spdlog itself only.
constexpr std::array<std::string_view, 7> kLevels = {"trace", "debug", "info", "warn", "error", "fatal", "off"};
constexpr size_t kChoosableLevels = 5;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Returns the first character of `text` with all its bytes. Returns an empty view if they are not UTF-8.
std::string_view FirstCharacter(std::string_view text) {
  for (size_t size = 1; size <= std::min<size_t>(4, text.size()); ++size) {
    if (IsUtf8(text.substr(0, size))) return text.substr(0, size);
  }
  return {};
}

// Returns true for U+0000 to U+001F, U+007F to U+009F, and the line separators U+2028 and U+2029.
bool IsControl(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (character.size() == 2) return byte(0) == 0xC2 && byte(1) < 0xA0;
  return character == "\u2028" || character == "\u2029";
}

// Splits `text` and calls plain(character), control(character) or invalid(byte) for each part.
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

// Returns the code point of a character for which IsControl returns true.
unsigned CodePointOf(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return byte(0);
  if (character.size() == 2) return byte(1);  // C2 80 to C2 9F encode U+0080 to U+009F.
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

std::atomic<uint64_t> dropped_lines{0};

// Opens standard error a second time, if it is a pipe or a terminal. Other processes use the same open file, so it must
// not become non-blocking for all of them. A second open file has flags of its own. Returns nothing where that is not
// possible.
UniqueFd ReopenStandardError() {
  struct stat status {};
  if (fstat(STDERR_FILENO, &status) != 0 || !(S_ISFIFO(status.st_mode) || isatty(STDERR_FILENO))) return {};
  return UniqueFd(open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
}

// Writes lines to standard error and never waits for its reader. Thread-safe through the mutex of base_sink.
class StandardErrorSink final : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (unreported_ > 0 && !ReportDropped(message)) return Drop();
    if (!WriteLine(message)) Drop();
  }
  void flush_() override {}

 private:
  void Drop() {
    ++unreported_;
    dropped_lines.fetch_add(1, std::memory_order_relaxed);
  }
  bool ReportDropped(const spdlog::details::log_msg& before) {
    const std::string text = fmt::format("standard error did not take {} log lines, which are lost", unreported_);
    const spdlog::details::log_msg report(before.time, {}, {}, spdlog::level::warn, text);
    if (!WriteLine(report)) return false;
    unreported_ = 0;
    return true;
  }
  bool WriteLine(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    // If only a part of the last line was written, a line break keeps the next line apart from it.
    if (torn_) line.push_back('\n');
    formatter_->format(message, line);
    const size_t written = Write({line.data(), line.size()});
    torn_ = (torn_ && written == 0) || (written > 0 && written < line.size());
    return written == line.size();
  }
  // Returns how many bytes were written without waiting. A descriptor that poll reports as writable takes at least
  // PIPE_BUF bytes without waiting.
  size_t Write(std::string_view bytes) {
    size_t written = 0;
    while (written < bytes.size()) {
      const std::string_view piece = bytes.substr(written, PIPE_BUF);
      pollfd file{descriptor_, POLLOUT, 0};
      if (poll(&file, 1, 0) != 1) break;
      ssize_t size = send(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (size < 0 && errno == ENOTSOCK) size = write(descriptor_, piece.data(), piece.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) break;
      written += static_cast<size_t>(size);
    }
    return written;
  }

  const UniqueFd reopened_ = ReopenStandardError();
  const int descriptor_ = reopened_.valid() ? reopened_.get() : STDERR_FILENO;
  uint64_t unreported_ = 0;
  bool torn_ = false;
};

spdlog::level::level_enum LevelOf(const std::string& name) {
  VIEWCOUNT_CHECK(IsLogLevel(name));
  return static_cast<spdlog::level::level_enum>(std::find(kLevels.begin(), kLevels.end(), name) - kLevels.begin());
}

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
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<StandardErrorSink>());
  logger->set_formatter(std::make_unique<LineFormatter>(format));
  logger->set_level(LevelOf(level));
  spdlog::set_default_logger(std::move(logger));
}

void SetLogLevel(const std::string& level) { spdlog::set_level(LevelOf(level)); }

uint64_t DroppedLogLines() { return dropped_lines.load(std::memory_order_relaxed); }

}  // namespace viewcount
