// Lines in the form of a log_format string of nginx.
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/log_formats.h"
#include "client/cli/log_text.h"
#include "client/cli/log_time.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// The variables that are used. Others are skipped.
enum class Variable {
  kSkipped,
  kClient,
  kNamedClient,
  kTimeLocal,
  kTimeIso,
  kMsec,
  kRequest,
  kMethod,
  kTarget,
  kQuery,
  kStatus,
  kAgent,
  kHost,
};

constexpr std::array<std::pair<std::string_view, Variable>, 15> kVariables = {{
    {"remote_addr", Variable::kClient},
    {"time_local", Variable::kTimeLocal},
    {"time_iso8601", Variable::kTimeIso},
    {"msec", Variable::kMsec},
    {"request", Variable::kRequest},
    {"request_method", Variable::kMethod},
    {"request_uri", Variable::kTarget},
    {"uri", Variable::kTarget},
    {"args", Variable::kQuery},
    {"query_string", Variable::kQuery},
    {"status", Variable::kStatus},
    {"http_user_agent", Variable::kAgent},
    {"host", Variable::kHost},
    {"http_host", Variable::kHost},
    {"server_name", Variable::kHost},
}};

// A variable, and the text between it and the next one.
struct Segment {
  Variable variable = Variable::kSkipped;
  std::string text_after;
};

bool IsVariableCharacter(char c) { return IsDecimal(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_'; }

// Removes a variable, `$name` or `${name}`, from the front of `rest`. Returns its name, which is empty if there is
// none.
std::string_view TakeVariable(std::string_view& rest) {
  rest.remove_prefix(1);
  const bool braces = !rest.empty() && rest[0] == '{';
  if (braces) rest.remove_prefix(1);
  const size_t end =
      static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), IsVariableCharacter) - rest.begin());
  const auto name = rest.substr(0, end);
  rest.remove_prefix(end);
  if (!braces) return name;
  if (rest.empty() || rest[0] != '}') return {};
  rest.remove_prefix(1);
  return name;
}

class TemplateFormat : public AccessLogFormat {
 public:
  TemplateFormat(std::string text_before, std::vector<Segment> segments)
      : text_before_(std::move(text_before)), segments_(std::move(segments)) {}

  std::string_view name() const override { return "log_format"; }

  std::string_view Parse(std::string_view line, LogRequest& request) override {
    auto rest = line;
    if (rest.substr(0, text_before_.size()) != text_before_) return "it does not begin as the log_format does";
    rest.remove_prefix(text_before_.size());
    query_.clear();
    for (const auto& segment : segments_) {
      const size_t end = segment.text_after.empty() ? rest.size() : rest.find(segment.text_after);
      if (end == rest.npos) return "it does not match the log_format";
      if (const auto problem = Set(segment.variable, rest.substr(0, end), request); !problem.empty()) return problem;
      rest.remove_prefix(end + segment.text_after.size());
    }
    if (!query_.empty() && request.target.find('?') == request.target.npos) request.target.append("?").append(query_);
    return {};
  }

 private:
  std::string_view Set(Variable variable, std::string_view value, LogRequest& request) {
    switch (variable) {
      case Variable::kSkipped:
        return {};
      case Variable::kClient:
        request.client = value;
        return {};
      case Variable::kNamedClient:
        Unescape(value, request.named_client);
        return {};
      case Variable::kTimeLocal:
        return SetTime(ParseLogTime(value), request);
      case Variable::kTimeIso:
        return SetTime(ParseIsoTime(value), request);
      case Variable::kMsec:
        return SetTime(ParseUnixTime(value), request);
      case Variable::kRequest:
        SplitRequestLine(value, request.method, request.target);
        return {};
      case Variable::kMethod:
        request.method = value;
        return {};
      case Variable::kTarget:
        Unescape(value, request.target);
        return {};
      case Variable::kQuery:
        if (value != "-") Unescape(value, query_);
        return {};
      case Variable::kStatus:
        request.status = StatusOf(value);
        return request.status == 0 ? "no status of three digits" : std::string_view();
      case Variable::kAgent:
        if (value != "-") Unescape(value, request.agent);
        return {};
      case Variable::kHost:
        request.host = value;
        return {};
    }
    return {};
  }

  static std::string_view SetTime(std::optional<int64_t> time, LogRequest& request) {
    if (!time) return "its time is impossible";
    request.time_unix_ms = *time;
    return {};
  }

  const std::string text_before_;
  const std::vector<Segment> segments_;
  std::string query_;
};

// Returns INVALID_ARGUMENT if the variables do not suffice for counting views.
absl::Status CheckVariables(const std::vector<Segment>& segments, std::string_view client_field) {
  const auto has = [&](Variable variable) {
    return std::any_of(segments.begin(), segments.end(), [&](const auto& s) { return s.variable == variable; });
  };
  std::string missing;
  const auto need = [&](bool met, std::string_view what) {
    if (!met) absl::StrAppend(&missing, missing.empty() ? "" : ", and ", ToAbsl(what));
  };
  need(has(Variable::kTimeLocal) || has(Variable::kTimeIso) || has(Variable::kMsec),
       "$time_local, $time_iso8601 or $msec");
  need(has(Variable::kRequest) || (has(Variable::kMethod) && has(Variable::kTarget)),
       "$request, or $request_method with $request_uri");
  need(has(Variable::kStatus), "$status");
  need(client_field.empty() ? has(Variable::kClient) : has(Variable::kNamedClient),
       client_field.empty() ? "$remote_addr" : "the variable of --client-field");
  if (missing.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the log_format lacks ", missing));
}

}  // namespace

absl::StatusOr<std::unique_ptr<AccessLogFormat>> MakeTemplateFormat(std::string_view log_format,
                                                                    std::string_view client_field) {
  if (!client_field.empty() && client_field[0] == '$') client_field.remove_prefix(1);
  auto rest = log_format;
  const size_t first = std::min(rest.find('$'), rest.size());
  const std::string text_before(rest.substr(0, first));
  rest.remove_prefix(first);
  std::vector<Segment> segments;
  while (!rest.empty()) {
    const auto name = TakeVariable(rest);
    if (name.empty()) return absl::InvalidArgumentError("the log_format has a $ without the name of a variable");
    const auto* known =
        std::find_if(kVariables.begin(), kVariables.end(), [&](const auto& v) { return v.first == name; });
    Segment segment{known == kVariables.end() ? Variable::kSkipped : known->second, ""};
    if (!client_field.empty() && name == client_field) segment.variable = Variable::kNamedClient;
    const size_t next = std::min(rest.find('$'), rest.size());
    segment.text_after = rest.substr(0, next);
    rest.remove_prefix(next);
    if (segment.text_after.empty() && !rest.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the log_format has no text between $", ToAbsl(name), " and the next variable"));
    }
    segments.push_back(std::move(segment));
  }
  if (auto status = CheckVariables(segments, client_field); !status.ok()) return status;
  return std::make_unique<TemplateFormat>(text_before, std::move(segments));
}

}  // namespace viewcount::cli
