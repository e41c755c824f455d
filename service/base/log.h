// Logging to standard error: each message is exactly one line, whatever characters it contains.
//
// The code logs with spdlog::info("what happened key={}", value) and so on. This file only defines the format of the
// lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace viewcount {

enum class LogFormat {
  // Lines such as: 2026-01-02T03:04:05.678Z info  message key=value
  kText,
  // Lines such as: {"time":"2026-01-02T03:04:05.678Z","level":"info","message":"message key=value"}
  kJson,
};

// Returns true for trace, debug, info, warn and error.
bool IsLogLevel(std::string_view name);

// Sets the format and the lowest level of spdlog's default logger. `level` is a name that IsLogLevel accepts. Call it
// at start-up, before other threads log.
//
// Writing a log line never waits for the reader. If standard error does not accept a line immediately (a pipe that is
// not read, a full disk), the line is dropped and counted. The next line that gets through is preceded by one that
// states the number.
void InitLogging(LogFormat format, const std::string& level);

// Changes the lowest level of the default logger. `level` is a name that IsLogLevel accepts. Thread-safe.
void SetLogLevel(const std::string& level);

// Returns how many log lines were dropped since the start of the process. Thread-safe.
uint64_t DroppedLogLines();

// Returns `text` on one line. Control characters and bytes that are not UTF-8 become \n, \t, \xNN and so on. Therefore
// no logged input can forge a line or control a terminal.
std::string EscapeForText(std::string_view text);

// Returns `text` in a form that may stand between the quotes of a JSON string. Bytes that are not UTF-8 become U+FFFD.
std::string EscapeForJson(std::string_view text);

}  // namespace viewcount
