#include "service/http/embed_routes.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "embed_css.h"
#include "service/base/check.h"
#include "service/base/status.h"
#include "service/http/cached_response.h"
#include "service/http/parameters.h"
#include "service/http/problem.h"
#include "service/http/question_parameters.h"
#include "service/web/svg_text.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using boost::asio::awaitable;

constexpr uint32_t kEmbedWidth = 400;
constexpr uint32_t kEmbedHeight = 480;
// Long enough for every address that a proxy lets through.
constexpr size_t kEmbedAddressBytesMax = 8'000;
constexpr char kOembedCacheSeconds[] = "public, max-age=3600";
constexpr std::array<std::string_view, 4> kOembedParameters = {"url", "format", "maxwidth", "maxheight"};

std::string_view HostOf(const HttpRequest& request) {
  const auto host = request[http::field::host];
  return {host.data(), host.size()};
}

// Returns `text` with percent escapes for everything that a query's value may not contain.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char byte : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(byte)) ||
        std::string_view("-._~").find(byte) != std::string_view::npos) {
      escaped += byte;
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
  }
  return escaped;
}

absl::Status NoEmbeddedPage() {
  return absl::NotFoundError(
      "url: must be the address of an embedded page of this service, such as "
      "https://THIS-HOST/v1/sites/SITE/embed/popular?window.last=24h");
}

// Returns the site of an embedded page's address, if the address is one of this host.
absl::StatusOr<std::string> SiteOfAddress(std::string_view address, std::string_view host) {
  if (address.size() > kEmbedAddressBytesMax) return NoEmbeddedPage();
  const bool is_web =
      absl::StartsWithIgnoreCase(ToAbsl(address), "https://") || absl::StartsWithIgnoreCase(ToAbsl(address), "http://");
  const size_t authority = address.find("://") + 3;
  if (!is_web) return NoEmbeddedPage();
  const size_t path_begin = std::min(address.find_first_of("/?#", authority), address.size());
  if (!absl::EqualsIgnoreCase(ToAbsl(address.substr(authority, path_begin - authority)), ToAbsl(host))) {
    return NoEmbeddedPage();
  }
  std::string_view path = address.substr(path_begin);
  if (path.find('#') != std::string_view::npos) return NoEmbeddedPage();
  path = path.substr(0, path.find('?'));
  // A proxy may serve this below a folder.
  constexpr std::string_view kSites = "/v1/sites/";
  const size_t sites = path.rfind(kSites);
  if (sites == std::string_view::npos || !path.ends_with(kEmbedPath)) return NoEmbeddedPage();
  const size_t begin = sites + kSites.size(), end = path.size() - kEmbedPath.size();
  if (end <= begin) return NoEmbeddedPage();
  return std::string(path.substr(begin, end - begin));
}

absl::StatusOr<uint32_t> Bounded(const Parameters& parameters, const char* name, uint32_t size) {
  const auto asked = NumberOf(parameters, name);
  if (!asked.ok()) return asked.status();
  if (*asked && **asked == 0) return InvalidField(name, "must be at least 1");
  return std::min(size, asked->value_or(size));
}

std::string OembedJson(std::string_view address, std::string_view site, uint32_t width, uint32_t height) {
  google::protobuf::Struct answer;
  auto& fields = *answer.mutable_fields();
  const std::string title = fmt::format("{}: most viewed", site);
  fields["version"].set_string_value("1.0");
  fields["type"].set_string_value("rich");
  fields["provider_name"].set_string_value("viewcount");
  fields["title"].set_string_value(title);
  fields["width"].set_number_value(width);
  fields["height"].set_number_value(height);
  fields["cache_age"].set_number_value(3'600);
  fields["html"].set_string_value(
      fmt::format(R"(<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy" frameborder="0"></iframe>)",
                  EscapedXml(address), EscapedXml(title), width, height));
  std::string json;
  // Names, titles and addresses are valid UTF-8 here, so this cannot fail.
  VIEWCOUNT_CHECK(google::protobuf::util::MessageToJsonString(answer, &json).ok());
  return json;
}

HttpResponse OembedProblem(const absl::Status& status) {
  HttpResponse response = Problem(status);
  response.set(http::field::access_control_allow_origin, "*");
  return response;
}

HttpResponse Oembed(const HttpRequest& request, const SiteDirectory& sites) {
  const std::string_view target(request.target().data(), request.target().size());
  if (auto status = CheckParameters(target, kOembedParameters); !status.ok()) return OembedProblem(status);
  const auto parameters = Parameters::Parse(target);
  if (!parameters.ok()) return OembedProblem(parameters.status());
  const std::string format = parameters->Find("format").value_or("json");
  // The specification names this status.
  if (format != "json") return OembedProblem(NotBuiltYet("a format other than json"));
  const std::string address = parameters->Find("url").value_or("");
  if (address.empty()) return OembedProblem(InvalidField("url", "must be the address of an embedded page"));
  // Escapes of a query keep addresses within ASCII.
  const bool printable = std::ranges::all_of(address, [](char byte) { return byte > ' ' && byte < '\x7f'; });
  const auto name = printable ? SiteOfAddress(address, HostOf(request)) : NoEmbeddedPage();
  if (!name.ok()) return OembedProblem(name.status());
  if (sites.Find(*name) == nullptr) return OembedProblem(sites.Unknown(*name));
  const auto width = Bounded(*parameters, "maxwidth", kEmbedWidth),
             height = Bounded(*parameters, "maxheight", kEmbedHeight);
  if (!width.ok()) return OembedProblem(width.status());
  if (!height.ok()) return OembedProblem(height.status());
  const Content content{.type = "application/json", .body = OembedJson(address, *name, *width, *height)};
  HttpResponse response = CachedResponse(request, content, kOembedCacheSeconds);
  response.set(http::field::access_control_allow_origin, "*");
  return response;
}

}  // namespace

std::string ServiceOrigin(const HttpRequest& request, bool tls) {
  if (HostOf(request).empty()) return "";
  const auto forwarded = request["X-Forwarded-Proto"];
  const std::string_view proto(forwarded.data(), forwarded.size());
  const bool secure = proto.empty() ? tls : absl::StartsWithIgnoreCase(ToAbsl(proto), "https");
  return fmt::format("{}://{}", secure ? "https" : "http", HostOf(request));
}

std::string EmbedPolicy(const Site& site) {
  const auto& origins = site.settings.allowed_origins;
  return fmt::format(
      "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors {}",
      origins.empty() ? "*" : fmt::format("{}", fmt::join(origins, " ")));
}

std::string OembedAddress(const HttpRequest& request, bool tls) {
  const std::string origin = ServiceOrigin(request, tls);
  const std::string_view target(request.target().data(), request.target().size());
  return fmt::format("{0}/v1/oembed?url={1}&format=json", origin, Escaped(origin + std::string(target)));
}

void AddEmbedRoutes(HttpRouter& router, SiteRoutes& routes, const SiteDirectory& sites) {
  routes.Add(http::verb::get, "/embed/embed.css",
             [](const HttpRequest& request, std::shared_ptr<const Site>) -> awaitable<absl::StatusOr<HttpResponse>> {
               co_return CachedResponse(request, {.type = "text/css; charset=utf-8", .body = kEmbedCss}, "no-cache");
             });
  router.Add(http::verb::get, "/v1/oembed",
             [&sites](const HttpRequest& request) -> awaitable<HttpResponse> { co_return Oembed(request, sites); });
}

}  // namespace viewcount
