#include "client/cli/log_format.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>

#include "client/cli/log_formats.h"
#include "client/cli/log_prefix.h"
#include "client/cli/log_text.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// The name that --client-field has for the last field of a line.
constexpr std::string_view kLastField = "last";

// Makes the format of a name. `detecting` is true if the format is one of several that might fit. Returns null for a
// name of no format.
std::unique_ptr<AccessLogFormat> MakeNamed(std::string_view name, std::string_view client_field, bool detecting) {
  const bool last = client_field == kLastField;
  if (name == "caddy") return MakeJsonFormat(JsonKind::kCaddy, client_field);
  if (name == "nginx-json") return MakeJsonFormat(JsonKind::kNginx, client_field);
  if (name == "cloudfront") return MakeW3cFormat(W3cKind::kCloudFront, client_field);
  if (name == "iis") return MakeW3cFormat(W3cKind::kIis, client_field);
  if (name == "alb") return MakeAlbFormat();
  if (name == "vhost") return MakeNcsaFormat(NcsaKind::kVhost, last, detecting);
  if (name == "combined") return MakeNcsaFormat(NcsaKind::kCombined, last, false);
  if (name == "common") return MakeNcsaFormat(NcsaKind::kCommon, last, false);
  return nullptr;
}

// Returns INVALID_ARGUMENT if the format has no field of that name.
absl::Status CheckClientField(std::string_view format, std::string_view client_field) {
  if (client_field.empty()) return absl::OkStatus();
  const bool ncsa = format == "common" || format == "combined" || format == "vhost";
  if (ncsa && client_field != kLastField) {
    return absl::InvalidArgumentError(absl::StrCat("the ", ToAbsl(format), " format has no field \"",
                                                   ToAbsl(client_field),
                                                   "\"; --client-field last is the last field of each line"));
  }
  if (format == "alb") {
    return absl::InvalidArgumentError(
        "the alb format has no other field with the visitor's address; leave out "
        "--client-field");
  }
  return absl::OkStatus();
}

// Calls `visit` for each line of `head` that is neither blank nor cut off.
template <typename Visit>
void ForEachLine(std::string_view head, Visit visit) {
  if (head.substr(0, 3) == "\xEF\xBB\xBF") head.remove_prefix(3);
  while (!head.empty()) {
    const auto line = Trim(WithoutPrefixes(Trim(TakeUntil(head, '\n'))));
    if (!line.empty()) visit(line);
  }
}

// The outcome of one format on the beginning of a log.
struct Score {
  int lines = 0;
  bool agents = false;
};

Score ScoreOf(AccessLogFormat& format, std::string_view head) {
  Score score;
  LogRequest request;
  ForEachLine(head, [&](std::string_view line) {
    if (line[0] == '#') return format.Comment(line);
    request.Clear();
    if (!format.Parse(line, request).empty()) return;
    ++score.lines;
    score.agents |= !request.agent.empty();
  });
  return score;
}

// Returns the name of the format that understands most lines, or an empty text. If several
// understand equally many, the first of them in FormatNames() is taken: the more special come first.
std::string_view Detect(std::string_view head) {
  std::string_view best;
  Score best_score;
  for (const auto& name : FormatNames()) {
    const auto format = MakeNamed(name, "", true);
    const Score score = ScoreOf(*format, head);
    if (score.lines <= best_score.lines) continue;
    best = name;
    best_score = score;
  }
  if (best == "combined" && !best_score.agents) return "common";
  return best;
}

bool IsName(std::string_view format) {
  const auto& names = FormatNames();
  return std::find(names.begin(), names.end(), format) != names.end();
}

}  // namespace

const std::vector<std::string>& FormatNames() {
  static const std::vector<std::string> kNames = {"caddy", "nginx-json", "cloudfront", "iis",
                                                  "alb",   "vhost",      "combined",   "common"};
  return kNames;
}

absl::Status CheckFormatOptions(const FormatOptions& options) {
  if (options.format == "auto") return absl::OkStatus();
  if (IsName(options.format)) return CheckClientField(options.format, options.client_field);
  if (options.format.find('$') != std::string::npos) {
    return MakeTemplateFormat(options.format, options.client_field).status();
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no format \"", options.format, "\"; choose auto, ",
                                                 absl::StrJoin(FormatNames(), ", "),
                                                 ", or give the log_format string of nginx, which has $variables"));
}

absl::StatusOr<std::unique_ptr<AccessLogFormat>> MakeAccessLogFormat(const FormatOptions& options,
                                                                     std::string_view head) {
  if (auto status = CheckFormatOptions(options); !status.ok()) return status;
  const std::string_view name = options.format == "auto" ? Detect(head) : std::string_view(options.format);
  if (name.empty()) return nullptr;
  if (!IsName(name)) return MakeTemplateFormat(name, options.client_field);
  if (auto status = CheckClientField(name, options.client_field); !status.ok()) return status;
  return MakeNamed(name, options.client_field, false);
}

}  // namespace viewcount::cli
