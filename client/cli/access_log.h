// Parses one line of a web server's access log into a page view, or into the reason why it is not one.
//
// The parser understands the common format and every format that begins with it, such as the combined format:
//   ADDRESS IDENT USER [17/May/2015:10:05:03 +0000] "METHOD TARGET HTTP/1.1" STATUS BYTES ["REFERER" "AGENT" …]
//
// A page view is a GET that was answered with 2xx or 304. The last segment of its path has no extension, or one of
// html, htm, php, asp, aspx, jsp in any case. The extension is the text after the last dot. A dot at the very end of
// the segment makes no extension.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount::cli {

// The kind of a log line. kOther is a valid line that is not a page view, and kBad is a line that cannot be parsed.
enum class LineKind { kPageView, kOther, kBlank, kBad };

// The parsed content of one line. The views point into the line or to static text, so the line must live as long as
// they are used.
struct AccessLogLine {
  LineKind kind = LineKind::kBad;
  // For a bad line: the problem, for the person who has to fix the line.
  std::string_view problem;

  // For a page view: the path without query and fragment, as logged. It is a valid article ID. For a target in absolute
  // form (`GET http://host/path`, as proxies send it) this is the path within the target. The page therefore has the
  // same ID with and without the proxy.
  std::string_view article_id;
  // A keyed hash of the client's address and user agent, or of the address alone if there is no user agent. Never 0.
  uint64_t viewer = 0;
  // The time of the view in milliseconds since 1970, with a precision of one second. Never 0, because 0 means "on
  // receipt": the first second of 1970 is represented as 1.
  int64_t event_time_unix_ms = 0;
};

// Returns the key with which a log's viewers are hashed. It is derived from the beginning of the log, so a continued
// import gives each viewer the same hash. A person without the log cannot find addresses by trying all of them. A
// viewer who appears in two logs counts as two viewers. Thread-safe.
ViewerSalt SaltOfLog(std::string_view site, std::string_view head);

// Parses a line that is given without its line end. The line may contain any bytes. The function keeps no state and
// allocates no memory. Thread-safe.
AccessLogLine ParseAccessLogLine(std::string_view line, const ViewerSalt& salt);

// Returns an excerpt of a bad line that may be shown: at most 100 characters of printable ASCII. Other bytes are
// escaped as \xHH. The first word, which is the client's address, is left out. Every other IP address is masked.
// Thread-safe.
std::string SafeExcerpt(std::string_view line);

}  // namespace viewcount::cli
