// Logging: one line per message on standard error, whatever the message holds.
//
// Rooms log with spdlog::info("what happened key={}", value) and so on; this only says how it looks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

enum class LogFormat {
  // 2026-01-02T03:04:05.678Z info  message key=value
  kText,
  // {"time":"2026-01-02T03:04:05.678Z","level":"info","message":"message key=value"}
  kJson,
};

// True for trace, debug, info, warn and error.
bool IsLogLevel(std::string_view name);

// Sets how spdlog's default logger writes and from which level on (a name that IsLogLevel takes). Call at start-up,
// before other threads log.
//
// A log line never waits for its reader. If standard error does not take a line at once (a pipe that is not read, a
// full disk), the line is dropped and counted. The next line that gets through is preceded by one that states the
// number.
void InitLogging(LogFormat format, const std::string& level);

// Changes the level of the default logger; `level` is a name that IsLogLevel takes. Thread safe.
void SetLogLevel(const std::string& level);

// Log lines that were dropped since the start of the process. Thread safe.
uint64_t DroppedLogLines();

// `text` on one line: control characters and bytes that are no UTF-8 as \n, \t, \xNN and so on, so that no logged
// input can forge a line or drive a terminal.
std::string EscapeForText(std::string_view text);

// `text` for between the quotes of a JSON string; bytes that are no UTF-8 become U+FFFD.
std::string EscapeForJson(std::string_view text);

}  // namespace viewcount
