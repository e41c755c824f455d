#include "service/http/file_routes.h"

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "count_js.h"
#include "openapi_yaml.h"
#include "service/base/limits.h"
#include "service/base/log.h"
#include "service/http/cached_response.h"
#include "service/http/gzip.h"

namespace viewcount {
namespace {

namespace fs = std::filesystem;
namespace http = boost::beast::http;
using boost::asio::awaitable;

constexpr char kIndex[] =
    "viewcount\n\n"
    "/count.js                            the script for your pages:\n"
    "    <script async src=\"https://THIS-HOST/count.js\" data-site=\"SITE\"></script>\n"
    "    <span data-viewcount></span>  <div data-viewcount-odometer></div>\n"
    "/v1/sites/SITE/views                 POST {\"articleId\":\"/news/3933\"}\n"
    "/v1/sites/SITE/counts?article=/a     counts of articles\n"
    "/v1/sites/SITE/popular               the most viewed ones\n"
    "/v1/sites/SITE/stats                 the site's views\n"
    "/v1/sites/SITE/live                  counts as they change\n"
    "/v1/sites/SITE/odometer.svg          pictures of numbers; badge.svg, pixel.gif\n"
    "/openapi.yaml                        all of it, described\n";
// After an update, pages that were already loaded keep the script that they have.
constexpr char kScriptCacheControl[] = "public, max-age=3600";
constexpr char kFileCacheControl[] = "no-cache";

constexpr std::array<std::pair<std::string_view, const char*>, 10> kTypes = {{{".html", "text/html; charset=utf-8"},
                                                                              {".css", "text/css; charset=utf-8"},
                                                                              {".js", "text/javascript; charset=utf-8"},
                                                                              {".json", "application/json"},
                                                                              {".svg", "image/svg+xml"},
                                                                              {".png", "image/png"},
                                                                              {".jpg", "image/jpeg"},
                                                                              {".webp", "image/webp"},
                                                                              {".ico", "image/x-icon"},
                                                                              {".txt", "text/plain; charset=utf-8"}}};

const char* TypeOf(const fs::path& file) {
  for (const auto& [extension, type] : kTypes) {
    if (file.extension() == extension) return type;
  }
  return "application/octet-stream";
}

void AddFile(HttpRouter& router, const std::string& path, Content content, const char* cache_control) {
  router.Add(http::verb::get, path,
             [content = std::move(content), cache_control](const HttpRequest& request) -> awaitable<HttpResponse> {
               co_return CachedResponse(request, content, cache_control);
             });
}

// Returns true if Accept-Encoding contains gzip. A weight of 0, which would forbid gzip, does not occur in practice.
bool TakesGzip(const HttpRequest& request) {
  const auto encodings = request[http::field::accept_encoding];
  return encodings.find("gzip") != boost::beast::string_view::npos;
}

void AddScript(HttpRouter& router) {
  const Content plain{.type = "text/javascript; charset=utf-8", .body = kCountJs};
  const Content small{.type = plain.type, .body = Gzip(plain.body), .encoding = "gzip"};
  router.Add(http::verb::get, "/count.js", [plain, small](const HttpRequest& request) -> awaitable<HttpResponse> {
    HttpResponse response = CachedResponse(request, TakesGzip(request) ? small : plain, kScriptCacheControl);
    response.set(http::field::vary, "Accept-Encoding");
    response.set(http::field::access_control_allow_origin, "*");
    response.set("Cross-Origin-Resource-Policy", "cross-origin");
    co_return response;
  });
}

struct DemoFile {
  // The path relative to /demo/.
  std::string path;
  Content content;
};

absl::StatusOr<std::vector<DemoFile>> ReadFiles(const std::string& directory) {
  std::vector<DemoFile> files;
  size_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entries(directory, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (!entries->is_regular_file()) continue;
    std::ifstream file(entries->path(), std::ios::binary);
    DemoFile read{.path = entries->path().lexically_relative(directory).generic_string(),
                  .content = {.type = TypeOf(entries->path())}};
    read.content.body.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) return absl::NotFoundError(fmt::format("cannot read {}", EscapeForText(entries->path().string())));
    bytes += read.content.body.size();
    files.push_back(std::move(read));
    if (files.size() > limits::kDemoFilesMax || bytes > limits::kDemoBytesMax)
      return absl::FailedPreconditionError(fmt::format("{} has more than {} files or {} MiB", EscapeForText(directory),
                                                       limits::kDemoFilesMax, limits::kDemoBytesMax >> 20));
  }
  if (error) return absl::NotFoundError(fmt::format("cannot read {}: {}", EscapeForText(directory), error.message()));
  if (files.empty()) return absl::NotFoundError(fmt::format("{} has no files", EscapeForText(directory)));
  return files;
}

}  // namespace

void AddFileRoutes(HttpRouter& router) {
  AddFile(router, "/", {.type = "text/plain; charset=utf-8", .body = kIndex}, kFileCacheControl);
  AddFile(router, "/openapi.yaml", {.type = "application/yaml", .body = kOpenapiYaml}, kFileCacheControl);
  AddScript(router);
}

absl::Status AddDemoRoutes(HttpRouter& router, const std::string& directory) {
  auto files = ReadFiles(directory);
  if (!files.ok()) return files.status();
  constexpr std::string_view kIndexFile = "index.html";
  for (DemoFile& file : *files) {
    const bool index = file.path == kIndexFile || file.path.ends_with("/" + std::string(kIndexFile));
    if (index) {
      const std::string folder = file.path.substr(0, file.path.size() - kIndexFile.size());
      AddFile(router, "/demo/" + folder, file.content, kFileCacheControl);
    }
    AddFile(router, "/demo/" + file.path, std::move(file.content), kFileCacheControl);
  }
  router.Add(http::verb::get, "/demo", [](const HttpRequest&) -> awaitable<HttpResponse> {
    HttpResponse response;
    response.result(http::status::permanent_redirect);
    response.set(http::field::location, "/demo/");
    co_return response;
  });
  return absl::OkStatus();
}

}  // namespace viewcount
