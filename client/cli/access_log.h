// Decides for each line of an access log whether it is a page view, by the rules of the site.
//
// A page view is a GET that was answered with 2xx or 304, but not 204, 205 or 206. Its path does not end with an
// extension of files that are no pages. The site's rule names the article and the paths that do not count.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/log_format.h"
#include "client/cli/log_request.h"
#include "service/addresses/article_rule.h"
#include "service/base/address_ranges.h"
#include "service/base/identifiers.h"
#include "service/sites/agent_rule.h"
#include "service/visitors/bot_verdicts.h"

namespace viewcount::cli {

// The kind of a log line.
enum class LineKind : uint8_t {
  kView,
  kBotView,
  // A request that is no page view, such as one for a picture.
  kNoPage,
  // A page whose path the site excludes.
  kExcludedPath,
  // A page that was requested from an address that the site excludes.
  kExcludedAddress,
  // A request to a virtual host that was not named.
  kOtherHost,
  // A blank line or a comment.
  kBlank,
  // A line that cannot be parsed.
  kBad,
  // A line that an earlier version imported. The parser never returns it.
  kImportedBefore,
};

// The maximum number of views of one line. A larger one hardly is a count. It is divided into entries of at most
// limits::kViewCountMax.
inline constexpr uint64_t kLineViewsMax = 1'000'000'000;

// True for lines that are sent as views.
inline bool IsView(LineKind kind) { return kind == LineKind::kView || kind == LineKind::kBotView; }

// One line after the decision. A plain value.
struct AccessLogLine {
  LineKind kind = LineKind::kBad;
  // For a bad line: the problem, for the person who has to fix the line.
  std::string problem = {};

  // The following fields belong to views. `article_id` is a valid article ID.
  std::string article_id = {};
  // A keyed hash of the client's address and user agent. 0 if the line names no client.
  uint64_t viewer = 0;
  // A hash of the client's address or name, which is the same in all logs. 0 if the line names no client. It must stay
  // in this process, because addresses can be found from it.
  uint64_t client = 0;
  // True if the client has an address of a private network, as proxies often have.
  bool private_client = false;
  // The time of the view in milliseconds since 1970. Never 0, because 0 means "on receipt": the first millisecond of
  // 1970 is represented as 1.
  int64_t event_time_unix_ms = 0;
  // The number of equal views, at least 1 and at most kLineViewsMax. A line of an access log is one.
  uint64_t count = 1;
  // Names and values of parameters that the site's rule drops; see NamedArticle::dropped.
  std::vector<std::pair<std::string, std::string>> dropped = {};
};

// The rules by which lines are decided. They apply to all logs of an import.
struct LogRules {
  ArticleRule article_rule;
  AddressRanges excluded_addresses;
  AgentRule agents;
  // Only lines of these virtual hosts are views, if there are any. In lower case, without ports.
  std::vector<std::string> hosts = {};
};

// Returns the key with which a log's viewers are hashed. It is derived from the line that identifies the log, so a
// continued import gives each viewer the same hash. A person without the log cannot find addresses by trying all of
// them. A viewer who appears in two logs counts as two viewers. Thread-safe.
ViewerSalt SaltOfLog(std::string_view site, std::string_view first_line);

// Parses the lines of one log. Not thread-safe. The rules and the patterns must outlive it.
class AccessLogParser {
 public:
  // `head` is the beginning of the log, by which `auto` finds the format. Without any line that a format understands
  // the parser tries each further line. Returns the errors of MakeAccessLogFormat.
  static absl::StatusOr<std::unique_ptr<AccessLogParser>> Make(const FormatOptions& options, std::string_view head,
                                                               const LogRules& rules, const BotPatterns& patterns,
                                                               const ViewerSalt& salt);

  // Parses a line that is given without its line end. The line may contain any bytes.
  AccessLogLine Parse(std::string_view line);
  // Takes note of a line that is not imported. It may name the columns of later lines.
  void Skip(std::string_view line);

  // The format's name, or an empty text if no format has understood a line yet.
  std::string_view format() const { return format_ == nullptr ? std::string_view() : format_->name(); }

 private:
  AccessLogParser(const FormatOptions& options, const LogRules& rules, const BotPatterns& patterns,
                  const ViewerSalt& salt);

  // Returns an empty text if `line` is a request, otherwise the problem.
  std::string_view ParseRequest(std::string_view line);
  void TakeComment(std::string_view line);
  AccessLogLine Decide();
  bool IsWantedHost() const;
  void SetViewer(AccessLogLine& line, bool& excluded) const;

  const FormatOptions options_;
  const LogRules& rules_;
  const ViewerSalt salt_;
  std::unique_ptr<AccessLogFormat> format_;
  // The last comments before the first line that a format understands. They may name its columns.
  std::string comments_;
  BotVerdicts bots_;
  LogRequest request_;
};

// Returns a virtual host as LogRules::hosts has it: in lower case, without its port. Thread-safe.
std::string HostName(std::string_view host);

// Returns an excerpt of a bad line that may be shown: at most 100 characters of printable ASCII. Other bytes are
// escaped as \xHH. The first word, which is the client's address in most formats, is left out. Every other IP address
// is masked. Thread-safe.
std::string SafeExcerpt(std::string_view line);

}  // namespace viewcount::cli
