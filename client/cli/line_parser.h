// Turns the lines of one imported file into views, whatever the file's format is.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/cli/access_log.h"

namespace viewcount::cli {

// Parses the lines of one file, one after the other. Not thread-safe.
class LineParser {
 public:
  virtual ~LineParser() = default;

  // Parses a line that is given without its line end. The line may contain any bytes.
  virtual AccessLogLine Parse(std::string_view line) = 0;
  // Takes note of a line that is not imported, because an earlier import counted it.
  virtual void Skip(std::string_view line) = 0;
  // Takes note of a line that is longer than the reader keeps, in place of Parse or Skip.
  virtual void PassTooLong() {}
  // Returns true if the next line belongs to a row that has begun already.
  virtual bool row_is_open() const { return false; }
  // Returns the text by which a line is recognised in a later version of the file. Call it once for each line, before
  // Parse or Skip. The result is valid until the next call.
  virtual std::string_view IdentityOf(std::string_view line) { return line; }
  // Forgets all lines, because the file is read from its beginning again.
  virtual void Restart() = 0;
  // The format's name, or an empty text if no line was understood yet. Valid until the next call.
  virtual std::string_view format() const = 0;
};

// A file that is about to be imported.
struct FileParser {
  std::unique_ptr<LineParser> parser;
  // The text that identifies the file together with its lines. Files with equal texts are distinguished by their lines;
  // see log_identity.h.
  std::string identity;
};

// Makes the parser of a file. `name` is its path, and `head` is its beginning, at most kHeadBytes. Returns an error for
// a file that is not understood. The message does not name the file.
using MakeFileParser = std::function<absl::StatusOr<FileParser>(const std::string& name, std::string_view head)>;

}  // namespace viewcount::cli
