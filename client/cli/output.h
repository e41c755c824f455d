// What the command prints: tables and numbers for people, JSON for programs, one line for an error.
#pragma once

#include <absl/status/status.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount::cli {

// What the command's exit says; `viewcount --help` lists them.
enum class ExitCode {
  kOk = 0,
  // The service refused or failed, or a file could not be read.
  kFailed = 1,
  kUsage = 2,
  // `import --strict` met bad lines.
  kBadLines = 3,
  // No service answered.
  kUnreachable = 4,
};

// kUnreachable for UNAVAILABLE and DEADLINE_EXCEEDED without a service's own details, else kFailed. Requires an error.
ExitCode ExitCodeOf(const absl::Status& error);

// `status` with another message; code and payloads stay.
absl::Status WithMessage(const absl::Status& status, std::string_view message);

// "1 view", "1,234 views".
std::string Counted(uint64_t number, std::string_view noun);

// "2015-05-17 10:05:03 UTC".
std::string TimeText(const google::protobuf::Timestamp& time);

// What stands in a table's column.
enum class Align { kLeft, kRight };

// A table with a head line, columns separated by two spaces. Widths are in characters, not bytes; control characters
// and ill-formed text from the service are shown as '?', so that no output can drive a terminal.
class Table {
 public:
  struct Column {
    std::string name;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns);
  // Requires as many cells as there are columns.
  void Add(std::vector<std::string> cells);
  // With a line end after every row.
  std::string Text() const;

 private:
  const std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// The message as proto3 JSON on several lines, fields of value 0 included.
std::string JsonOf(const google::protobuf::Message& message);

// `text` with what would move a terminal's cursor replaced by '?', line ends too.
std::string OneLine(std::string_view text);

// Writes `viewcount: text` and a line end to standard error.
void PrintError(std::string_view text);
// Writes to standard output.
void Print(std::string_view text);
// False if something could not be written to standard output: a full disk must not look like success.
bool FlushOutput();

}  // namespace viewcount::cli
