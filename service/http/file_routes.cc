#include "service/http/file_routes.h"

#include <absl/status/statusor.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "count_js.h"
#include "describe_js.h"
#include "lists_js.h"
#include "openapi_yaml.h"
#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/base/log.h"
#include "service/http/cached_response.h"
#include "service/http/gzip.h"

namespace viewcount {
namespace {

namespace fs = std::filesystem;
namespace http = boost::beast::http;
using boost::asio::awaitable;

// The index, without its last lines: the scripts' names with their versions.
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
    "/v1/sites/SITE/series                views by hour, day, week or month, for the portal's own servers\n"
    "/v1/sites/SITE/count.txt             a number alone, for server-side includes\n"
    "/openapi.yaml                        all of it, described\n"
    "/numbers.js                          the script, with a name that content blockers do not know\n"
    "/lists.js                            lists of articles; count.js loads it, as /more.js if it is numbers.js\n";
// After an update, pages that were already loaded keep the script that they have.
constexpr char kScriptCacheControl[] = "public, max-age=3600";
constexpr char kVersionCacheControl[] = "public, max-age=31536000, immutable";
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

// Returns the hash of `text` in bytes.
std::string HashOf(std::string_view text, const EVP_MD* kind) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  VIEWCOUNT_CHECK(EVP_Digest(text.data(), text.size(), hash.data(), &size, kind, nullptr) == 1);
  return std::string(hash.begin(), hash.begin() + size);
}

std::string Base64(std::string_view bytes) {
  constexpr size_t kBytesMax = EVP_MAX_MD_SIZE;
  VIEWCOUNT_CHECK(bytes.size() <= kBytesMax);
  std::array<unsigned char, (kBytesMax + 2) / 3 * 4 + 1> base64;
  const int size = EVP_EncodeBlock(base64.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  return std::string(base64.begin(), base64.begin() + size);
}

struct Script {
  // The second name is one that content blockers do not know.
  std::array<std::string_view, 2> names;
  std::string_view index_text;
  std::string text;
  // The beginning of the hash in hexadecimal. It is long enough to differ between any two scripts that were ever
  // released.
  std::string version;
  // The value of a script element's integrity attribute.
  std::string integrity;
};

Script MakeScript(std::array<std::string_view, 2> names, std::string_view index_text, std::string text) {
  constexpr size_t kVersionBytes = 6;
  const std::string hash = HashOf(text, EVP_sha384());
  std::string version;
  for (const char byte : hash.substr(0, kVersionBytes))
    version += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return {.names = names,
          .index_text = index_text,
          .text = std::move(text),
          .version = std::move(version),
          .integrity = "sha384-" + Base64(hash)};
}

// Returns count.js with the hash of lists.js in it, so that a page which verifies count.js verifies both. SHA-256 keeps
// count.js small.
std::string CountScript(std::string_view lists) {
  constexpr std::string_view kPlace = "sha256-LISTS";
  std::string text = kCountJs;
  const size_t place = text.find(kPlace);
  VIEWCOUNT_CHECK(place != std::string::npos);
  return text.replace(place, kPlace.size(), "sha256-" + Base64(HashOf(lists, EVP_sha256())));
}

void AddScript(HttpRouter& router, const Script& script) {
  const Content plain{.type = "text/javascript; charset=utf-8", .body = script.text};
  const Content small{.type = plain.type, .body = Gzip(plain.body, GzipLevel::kBest), .encoding = "gzip"};
  const auto add = [&](const std::string& path, const char* cache_control) {
    router.Add(http::verb::get, path,
               [plain, small, cache_control](const HttpRequest& request) -> awaitable<HttpResponse> {
                 HttpResponse response = CachedResponse(request, TakesGzip(request) ? small : plain, cache_control);
                 response.set(http::field::vary, "Accept-Encoding");
                 response.set(http::field::access_control_allow_origin, "*");
                 response.set("Cross-Origin-Resource-Policy", "cross-origin");
                 co_return response;
               });
  };
  for (const std::string_view name : script.names) {
    add(fmt::format("/{}.js", name), kScriptCacheControl);
    add(fmt::format("/{}.{}.js", name, script.version), kVersionCacheControl);
  }
}

std::string Index(const std::vector<Script>& scripts) {
  std::string index = kIndex;
  for (const Script& script : scripts) {
    for (const std::string_view name : script.names)
      index += fmt::format("{:<37}{}\n", fmt::format("/{}.{}.js", name, script.version), script.index_text);
    index += fmt::format("    integrity=\"{}\" crossorigin=\"anonymous\"\n", script.integrity);
  }
  return index;
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
  std::vector<Script> scripts;
  // Lists and announcements are one file, so that count.js has one hash only.
  const std::string lists = std::string(kDescribeJs) + kListsJs;
  scripts.push_back(MakeScript({"lists", "more"}, "the script of lists of this version", lists));
  scripts.insert(scripts.begin(), MakeScript({"count", "numbers"}, "the script of this version", CountScript(lists)));
  AddFile(router, "/", {.type = "text/plain; charset=utf-8", .body = Index(scripts)}, kFileCacheControl);
  AddFile(router, "/openapi.yaml", {.type = "application/yaml", .body = kOpenapiYaml}, kFileCacheControl);
  for (const Script& script : scripts) AddScript(router, script);
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
