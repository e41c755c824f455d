// Logs with one JSON object in each line: Caddy's, and those of nginx with its variables as keys.
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <string>

#include "client/cli/log_formats.h"
#include "client/cli/log_text.h"
#include "client/cli/log_time.h"

namespace viewcount::cli {
namespace {

namespace json = boost::json;

// Memory for one line's values. A longer line takes more from the heap.
constexpr size_t kJsonBytes = 32 << 10;
constexpr size_t kJsonDepthMax = 16;

std::string_view ToStdView(json::string_view text) { return {text.data(), text.size()}; }

// Returns the value of a key. Names of HTTP headers are compared without case, as Caddy may write them in any.
const json::value* Find(const json::object& object, std::string_view key) {
  if (const auto* value = object.if_contains({key.data(), key.size()})) return value;
  for (const auto& pair : object) {
    if (EqualsIgnoringCase(ToStdView(pair.key()), key)) return &pair.value();
  }
  return nullptr;
}

const json::object* FindObject(const json::object& object, std::string_view key) {
  const auto* value = Find(object, key);
  return value == nullptr ? nullptr : value->if_object();
}

// Returns the text of a value: a text, or the first text of a list, as Caddy writes headers.
std::optional<std::string_view> TextOf(const json::value* value) {
  if (value == nullptr) return std::nullopt;
  if (const auto* list = value->if_array()) {
    if (list->empty()) return std::nullopt;
    value = &list->front();
  }
  const auto* text = value->if_string();
  if (text == nullptr) return std::nullopt;
  return ToStdView(*text);
}

std::optional<std::string_view> FirstText(const json::object& object, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (const auto text = TextOf(Find(object, key))) return text;
  }
  return std::nullopt;
}

// Returns the status as a number, or 0. nginx writes it as a text or as a number.
int StatusOfValue(const json::value* value) {
  if (value == nullptr) return 0;
  if (const auto* number = value->if_int64()) return *number >= 100 && *number <= 999 ? static_cast<int>(*number) : 0;
  const auto text = TextOf(value);
  return text ? StatusOf(*text) : 0;
}

// Parses a time in any of the forms that servers write: seconds or milliseconds since 1970, or a text.
std::optional<int64_t> TimeOfValue(const json::value* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const double number = value->to_number<double>();
    // The limit is the year 5138 in seconds, and the year 1973 in milliseconds.
    return TimeOfUnixSeconds(number < 1e11 ? number : number / 1'000);
  }
  const auto text = TextOf(value);
  if (!text) return std::nullopt;
  if (const auto time = ParseIsoTime(*text)) return time;
  if (const auto time = ParseLogTime(*text)) return time;
  return ParseUnixTime(*text);
}

// nginx writes \xNN, which JSON does not know, unless its log_format has escape=json. Returns the line with these
// escapes in a form that JSON knows: bytes beyond ASCII as they are, others as \u00NN.
std::string WithoutByteEscapes(std::string_view line) {
  std::string fixed;
  for (size_t at = 0; at < line.size();) {
    const bool escape = line[at] == '\\' && at + 1 < line.size();
    const int high = escape && line[at + 1] == 'x' && at + 3 < line.size() ? HexDigit(line[at + 2]) : -1;
    const int low = high >= 0 ? HexDigit(line[at + 3]) : -1;
    if (low < 0) {
      fixed.append(line.substr(at, escape ? 2 : 1));
      at += escape ? 2 : 1;
      continue;
    }
    if (high >= 8) {
      fixed += static_cast<char>(high * 16 + low);
    } else {
      fixed.append("\\u00").append(line.substr(at + 2, 2));
    }
    at += 4;
  }
  return fixed;
}

class JsonFormat : public AccessLogFormat {
 public:
  explicit JsonFormat(std::string_view client_field) : client_field_(client_field) {}

  std::string_view Parse(std::string_view line, LogRequest& request) override {
    if (line.empty() || line[0] != '{') return "no JSON object";
    json::monotonic_resource memory(buffer_.data(), buffer_.size());
    boost::system::error_code error;
    json::value value = ParseText(line, error, memory);
    if (error && line.find("\\x") != line.npos) {
      error.clear();
      const std::string fixed = WithoutByteEscapes(line);
      value = ParseText(fixed, error, memory);
    }
    const auto* object = error ? nullptr : value.if_object();
    if (object == nullptr) return "no JSON object";
    return Read(*object, request);
  }

 protected:
  virtual std::string_view Read(const json::object& object, LogRequest& request) const = 0;

  const std::string& client_field() const { return client_field_; }

 private:
  static json::value ParseText(std::string_view text, boost::system::error_code& error,
                               json::monotonic_resource& memory) {
    json::parse_options options;
    options.allow_invalid_utf8 = true;
    options.max_depth = kJsonDepthMax;
    return json::parse({text.data(), text.size()}, error, &memory, options);
  }

  const std::string client_field_;
  std::array<unsigned char, kJsonBytes> buffer_;
};

class CaddyFormat : public JsonFormat {
 public:
  using JsonFormat::JsonFormat;
  std::string_view name() const override { return "caddy"; }

 private:
  std::string_view Read(const json::object& object, LogRequest& request) const override {
    const auto* sent = FindObject(object, "request");
    if (sent == nullptr) return "no object \"request\"";
    const auto method = FirstText(*sent, {"method"});
    const auto target = FirstText(*sent, {"uri"});
    if (!method || !target) return "no method and uri in \"request\"";
    request.method = *method;
    request.target = *target;
    const auto* status = Find(object, "status");
    request.status = StatusOfValue(status);
    // Caddy writes 0 if the client left before the answer.
    if (request.status == 0 && (status == nullptr || !status->is_number())) return "no status";
    const auto time = TimeOfValue(Find(object, "ts"));
    if (!time) return "no possible time in \"ts\"";
    request.time_unix_ms = *time;
    const auto* headers = FindObject(*sent, "headers");
    request.client = FirstText(*sent, {"client_ip", "remote_ip", "remote_addr"}).value_or("");
    request.host = FirstText(*sent, {"host"}).value_or("");
    if (headers != nullptr) request.agent = FirstText(*headers, {"User-Agent"}).value_or("");
    if (client_field().empty()) return {};
    auto named = FirstText(object, {client_field()});
    if (!named) named = FirstText(*sent, {client_field()});
    if (!named && headers != nullptr) named = FirstText(*headers, {client_field()});
    request.named_client = named.value_or("");
    return {};
  }
};

class NginxJsonFormat : public JsonFormat {
 public:
  using JsonFormat::JsonFormat;
  std::string_view name() const override { return "nginx-json"; }

 private:
  std::string_view Read(const json::object& object, LogRequest& request) const override {
    if (auto problem = ReadTarget(object, request); !problem.empty()) return problem;
    request.status = StatusOfValue(Find(object, "status"));
    if (request.status == 0) return "no status of three digits";
    const auto time = Time(object);
    if (!time) return "no possible time in time_iso8601, time_local or msec";
    request.time_unix_ms = *time;
    request.client = FirstText(object, {"remote_addr", "client_ip", "remote_ip", "clientip"}).value_or("");
    request.host = FirstText(object, {"host", "http_host", "server_name", "vhost"}).value_or("");
    const auto agent = FirstText(object, {"http_user_agent", "user_agent", "agent"}).value_or("");
    if (agent != "-") request.agent = agent;
    if (!client_field().empty()) request.named_client = FirstText(object, {client_field()}).value_or("");
    return {};
  }

  static std::string_view ReadTarget(const json::object& object, LogRequest& request) {
    const auto method = FirstText(object, {"request_method", "method"});
    if (const auto target = FirstText(object, {"request_uri"}); target && method) {
      request.method = *method;
      request.target = *target;
      return {};
    }
    if (const auto line = FirstText(object, {"request"})) {
      SplitRequestLine(*line, request.method, request.target);
      return {};
    }
    const auto path = FirstText(object, {"uri", "path"});
    if (!path || !method) return "no request, and no request_method with request_uri";
    request.method = *method;
    request.target = *path;
    const auto query = FirstText(object, {"args", "query_string"}).value_or("");
    if (!query.empty() && query != "-" && path->find('?') == path->npos) request.target.append("?").append(query);
    return {};
  }

  static std::optional<int64_t> Time(const json::object& object) {
    for (const std::string_view key : {"time_iso8601", "time_local", "msec", "@timestamp", "timestamp", "time", "ts"}) {
      if (const auto time = TimeOfValue(Find(object, key))) return time;
    }
    return std::nullopt;
  }
};

}  // namespace

std::unique_ptr<AccessLogFormat> MakeJsonFormat(JsonKind kind, std::string_view client_field) {
  const std::string field(client_field);
  if (kind == JsonKind::kCaddy) return std::make_unique<CaddyFormat>(field);
  return std::make_unique<NginxJsonFormat>(field);
}

}  // namespace viewcount::cli
