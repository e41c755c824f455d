// The output of the command: tables and numbers for people, JSON for programs, and one line for an error.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount::cli {

// The exit codes of the command. `viewcount --help` lists them.
enum class ExitCode {
  kOk = 0,
  // The service refused or failed, or a file could not be read.
  kFailed = 1,
  kUsage = 2,
  // `import --strict` found bad lines.
  kBadLines = 3,
  // No service answered.
  kUnreachable = 4,
  // `import` understood no line at all, or `announce` no entry.
  kNoLineUnderstood = 5,
};

// Returns kUnreachable for UNAVAILABLE and DEADLINE_EXCEEDED without details from a service, otherwise kFailed.
// Requires an error.
ExitCode ExitCodeOf(const absl::Status& error);

// Returns `status` with another message. The code and the payloads stay.
absl::Status WithMessage(const absl::Status& status, std::string_view message);

// Formats a number with a noun, such as "1 view" or "1,234 views".
std::string Counted(uint64_t number, std::string_view noun);

// Formats a time in UTC, such as "2015-05-17 10:05:03 UTC".
std::string TimeText(const google::protobuf::Timestamp& time);

// The alignment of a table's column.
enum class Align { kLeft, kRight };

// A table with a header line. Its columns are separated by two spaces. Widths are in characters, not bytes. Control
// characters and ill-formed text from the service are shown as '?', so that no output can control a terminal. Not
// thread-safe.
class Table {
 public:
  struct Column {
    std::string name;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns);
  // Adds a row. Requires as many cells as there are columns.
  void Add(std::vector<std::string> cells);
  // Returns the table as text with a line end after every row.
  std::string Text() const;

 private:
  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Returns the message as proto3 JSON on several lines. Fields with the value 0 are included.
std::string JsonOf(const google::protobuf::Message& message);

// Returns `text` with '?' in place of every character that would move a terminal's cursor, including line ends.
std::string OneLine(std::string_view text);

// Writes `viewcount: text` and a line end to standard error.
void PrintError(std::string_view text);
// Writes to standard output.
void Print(std::string_view text);
// Flushes standard output. Returns false if something could not be written, because a full disk must not look like
// success.
bool FlushOutput();

}  // namespace viewcount::cli
