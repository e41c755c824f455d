// The formats of access logs.
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/log_request.h"

namespace viewcount::cli {

// Reads the lines of one log. It may keep what an earlier line said about later ones, such as the names of columns.
// Not thread-safe.
class AccessLogFormat {
 public:
  virtual ~AccessLogFormat() = default;

  // The format's name, as --format takes it.
  virtual std::string_view name() const = 0;
  // Parses a line without prefixes, blanks at its end and line end into an empty `request`. Returns an empty text if
  // the line is a request, otherwise the problem for the person who has to fix the line. Never keeps a view of the
  // line.
  virtual std::string_view Parse(std::string_view line, LogRequest& request) = 0;
  // Takes a line that begins with #. Such a line is a comment in most formats, and names the columns in some.
  virtual void Comment(std::string_view) {}
};

// The choice of a format by the user.
struct FormatOptions {
  // `auto`, a name of FormatNames(), or a log_format string of nginx.
  std::string format = "auto";
  // The field that names the visitor's address, or empty for the format's own. `last` is the last field of a line in
  // the formats common, combined and vhost.
  std::string client_field;
};

// The names of all formats apart from `auto`.
const std::vector<std::string>& FormatNames();

// Makes the format that the options name. For `auto` the format is the one that understands most lines of `head`, the
// beginning of a log. Returns null if none understands any of them. Returns INVALID_ARGUMENT for an unknown name, for a
// log_format string that lacks a variable, and for a client field that the format does not have.
absl::StatusOr<std::unique_ptr<AccessLogFormat>> MakeAccessLogFormat(const FormatOptions& options,
                                                                     std::string_view head);

// Checks the options as far as that is possible without a log. Returns the errors of MakeAccessLogFormat.
absl::Status CheckFormatOptions(const FormatOptions& options);

}  // namespace viewcount::cli
