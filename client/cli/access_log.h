// One line of a web server's access log → a page view, or the reason why it is none.
//
// Understood are the common format and whatever begins with it, as the combined format does:
//   ADDRESS IDENT USER [17/May/2015:10:05:03 +0000] "METHOD TARGET HTTP/1.1" STATUS BYTES ["REFERER" "AGENT" …]
//
// A page view is a GET answered with 2xx or 304 for a path whose last segment has no extension, or one of html, htm,
// php, asp, aspx, jsp in any case. The extension is what follows the last dot; a dot at the very end makes none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount::cli {

// What a line is.
enum class LineKind { kPageView, kOther, kBlank, kBad };

// One line's meaning. Points into the line, or to text that lives for ever.
struct AccessLogLine {
  LineKind kind = LineKind::kBad;
  // Of a bad line: what is wrong with it, for the person who has to mend it.
  std::string_view problem;

  // Of a page view: the path without query and fragment, as logged: a valid article ID. Of a target in absolute form
  // (`GET http://host/path`, as proxies send it) the path in it: the same page as without the proxy.
  std::string_view article_id;
  // Keyed hash of client address and user agent; never 0. Without a user agent, of the address alone.
  uint64_t viewer = 0;
  // In milliseconds since 1970, to the second. Never 0, which means "on receipt": the first second of 1970 is 1.
  int64_t event_time_unix_ms = 0;
};

// The key of a log's viewers: of its beginning, so that an import that goes on has the same names, and nobody who lacks
// the log finds addresses by trying. A person who is in two logs is two viewers.
ViewerSalt SaltOfLog(std::string_view site, std::string_view head);

// Parses a line without its line end. Any bytes are allowed. Pure: no state, no allocation; thread safe.
AccessLogLine ParseAccessLogLine(std::string_view line, const ViewerSalt& salt);

// What may be shown of a bad line: at most 100 characters of printable ASCII, other bytes escaped as \xHH, without the
// first word (where the client's address stands) and with every other IP address masked. Thread safe.
std::string SafeExcerpt(std::string_view line);

}  // namespace viewcount::cli
