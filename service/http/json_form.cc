#include "service/http/json_form.h"

#include <absl/strings/ascii.h>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <set>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/http/gzip.h"
#include "service/http/parameters.h"
#include "viewcount/v1/ingest.pb.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr size_t kCompressedBytesMin = 1'024;
constexpr std::string_view kAsOf = "\"asOf\":\"";

// Adds the JSON names of all 64-bit integers within messages of this type.
void AddNumbers(const Descriptor& type, std::set<std::string, std::less<>>& names) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto kind = field.cpp_type();
    if (kind == FieldDescriptor::CPPTYPE_INT64 || kind == FieldDescriptor::CPPTYPE_UINT64) {
      names.insert(field.json_name());
    } else if (field.message_type() != nullptr && field.message_type()->file()->package() == type.file()->package()) {
      AddNumbers(*field.message_type(), names);
    }
  }
}

bool IsNumber(std::string_view name) {
  static const auto names = [] {
    std::set<std::string, std::less<>> all;
    for (const Descriptor* type : {v1::RecordViewsResponse::descriptor(), v1::GetCountsResponse::descriptor(),
                                   v1::ListPopularResponse::descriptor(), v1::GetSiteStatsResponse::descriptor(),
                                   v1::WatchCountsResponse::descriptor()}) {
      AddNumbers(*type, all);
    }
    return all;
  }();
  return names.contains(name);
}

// Removes a JSON string with its quotes from the front of `rest`, and returns it.
std::string_view TakeString(std::string_view& rest) {
  size_t end = 1;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  const std::string_view text = rest.substr(0, end + 1);
  rest.remove_prefix(text.size());
  return text;
}

std::string_view Unquoted(std::string_view text) { return text.substr(1, text.size() - 2); }

absl::Status FindNumbers(const HttpRequest& request, bool& numbers) {
  const auto accept = request[http::field::accept];
  numbers = absl::AsciiStrToLower({accept.data(), accept.size()}).find("numbers=1") != std::string::npos;
  const auto parameters = Parameters::Parse(request.target());
  const auto wanted = parameters.ok() ? parameters->Find(kNumbersParameter) : std::nullopt;
  if (wanted && *wanted != "1") return InvalidField(kNumbersParameter, "must be 1");
  numbers = numbers || wanted.has_value();
  return absl::OkStatus();
}

// Returns a tag of the answer without the time that it names. The tag is weak, because the time may differ.
std::string TagOf(const std::string& json) {
  std::string text = json;
  if (const size_t begin = text.find(kAsOf); begin != std::string::npos) {
    text.erase(begin, text.find('"', begin + kAsOf.size()) - begin);
  }
  return fmt::format("\"{:016x}\"", Hash64(text));
}

void Tag(const HttpRequest& request, HttpResponse& response) {
  const std::string tag = TagOf(response.body());
  response.set(http::field::etag, "W/" + tag);
  response.set(http::field::cache_control, "public, max-age=1");
  const auto known = request[http::field::if_none_match];
  if (known != "*" && known.find(tag) == known.npos) return;
  response.result(http::status::not_modified);
  response.erase(http::field::content_type);
  response.body().clear();
}

}  // namespace

std::string WithNumbers(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const std::string_view between = json.substr(0, json.find('"'));
    out += between;
    json.remove_prefix(between.size());
    if (json.empty()) break;
    const std::string_view text = TakeString(json);
    out += text;
    // Only a name is followed by a colon.
    if (!json.starts_with(":\"") || !IsNumber(Unquoted(text))) continue;
    out += ':';
    json.remove_prefix(1);
    const std::string_view value = TakeString(json);
    const bool digits = std::ranges::all_of(Unquoted(value), [](char c) { return absl::ascii_isdigit(c); });
    out += digits ? Unquoted(value) : value;
  }
  return out;
}

absl::Status ShapeJson(const HttpRequest& request, bool cached, HttpResponse& response) {
  if (response.result() != http::status::ok || response[http::field::content_type] != "application/json") {
    return absl::OkStatus();
  }
  bool numbers = false;
  if (auto status = FindNumbers(request, numbers); !status.ok()) return status;
  if (numbers) response.body() = WithNumbers(response.body());
  if (cached) {
    response.insert(http::field::vary, "Accept, Accept-Encoding");
    Tag(request, response);
  }
  if (response.body().size() < kCompressedBytesMin || !TakesGzip(request)) return absl::OkStatus();
  response.body() = Gzip(response.body(), GzipLevel::kFast);
  response.set(http::field::content_encoding, "gzip");
  return absl::OkStatus();
}

}  // namespace viewcount
