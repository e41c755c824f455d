#include "client/cli/web_document.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "client/cli/feed_entry.h"
#include "client/cli/web_address.h"
#include "service/base/check.h"

namespace viewcount::cli {
namespace {

constexpr char kWebSchemes[] = "http,https";
constexpr char kSafeScheme[] = "https";
constexpr char kUserAgent[] = "viewcount/" VIEWCOUNT_VERSION;
// The first status of HTTP that is a redirect, and the first that is an error.
constexpr long kHttpRedirectMin = 300;
constexpr long kHttpErrorMin = 400;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;

// Receives one answer, after its redirects.
struct WebAnswer {
  const WebFetch& fetch;
  CURL* handle;
  std::FILE* file;
  uint64_t bytes = 0;
  bool too_large = false;
  // Why a redirect is refused. Empty otherwise.
  std::string refusal = {};
};

size_t Receive(char* data, size_t, size_t size, void* to) {
  auto& answer = *static_cast<WebAnswer*>(to);
  answer.bytes += size;
  if (answer.bytes > kWebDocumentBytesMax) {
    answer.too_large = true;
    return 0;
  }
  return std::fwrite(data, 1, size, answer.file);
}

bool IsHttps(const std::string& address) { return absl::StartsWithIgnoreCase(address, "https://"); }

long StatusOf(CURL* handle) {
  long status = 0;
  VIEWCOUNT_CHECK(curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK);
  return status;
}

// Returns the address of the latest request.
std::string EffectiveAddress(CURL* handle) {
  const char* address = nullptr;
  VIEWCOUNT_CHECK(curl_easy_getinfo(handle, CURLINFO_EFFECTIVE_URL, &address) == CURLE_OK);
  return address == nullptr ? "" : address;
}

// Returns why a redirect is refused, or an empty text. libcurl itself refuses other schemes.
std::string RefusalOf(const std::string& from, const std::string& to, const std::string& only_host) {
  if (IsHttps(from) && !IsHttps(to) && IsWebAddress(to)) {
    return fmt::format("is redirected from https to http, to {}, which is refused", WithoutCredentials(to));
  }
  if (only_host.empty() || !IsWebAddress(to) || HostOf(to) == only_host) return "";
  return fmt::format("is redirected to another host, {}, which is refused because --any-host is not given", HostOf(to));
}

// Takes one line of the headers. Ends the call before a redirect that is refused.
size_t ReceiveHeader(char* data, size_t, size_t size, void* to) {
  constexpr absl::string_view kLocation = "location:";
  auto& answer = *static_cast<WebAnswer*>(to);
  absl::string_view line(data, size);
  const long status = StatusOf(answer.handle);
  const bool is_redirect = status >= kHttpRedirectMin && status < kHttpErrorMin;
  if (!is_redirect || !absl::StartsWithIgnoreCase(line, kLocation)) return size;
  line.remove_prefix(kLocation.size());
  const std::string from = EffectiveAddress(answer.handle);
  const std::string target = RedirectTarget(from, std::string(absl::StripAsciiWhitespace(line)));
  answer.refusal = RefusalOf(from, target, answer.fetch.only_host);
  return answer.refusal.empty() ? size : 0;
}

template <typename Value>
void Set(const Handle& handle, CURLoption option, Value value) {
  VIEWCOUNT_CHECK(curl_easy_setopt(handle.get(), option, value) == CURLE_OK);
}

void Configure(const Handle& handle, const WebFetch& fetch) {
  Set(handle, CURLOPT_URL, fetch.address.c_str());
  Set(handle, CURLOPT_PROTOCOLS_STR, kWebSchemes);
  Set(handle, CURLOPT_REDIR_PROTOCOLS_STR, IsHttps(fetch.address) ? kSafeScheme : kWebSchemes);
  Set(handle, CURLOPT_FOLLOWLOCATION, 1L);
  Set(handle, CURLOPT_MAXREDIRS, static_cast<long>(kWebRedirectsMax));
  Set(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(kWebConnectTimeout.count()));
  Set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(fetch.timeout.count()));
  Set(handle, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(kWebDocumentBytesMax));
  Set(handle, CURLOPT_USERAGENT, kUserAgent);
  // Signals belong to the command.
  Set(handle, CURLOPT_NOSIGNAL, 1L);
  if (const char* authorities = std::getenv("SSL_CERT_FILE"); authorities != nullptr && *authorities != '\0') {
    Set(handle, CURLOPT_CAINFO, authorities);
  }
}

// Says why there is no document. Empty if there is one.
std::string ProblemOf(CURLcode result, const WebAnswer& answer, const char* message) {
  if (!answer.refusal.empty()) return answer.refusal;
  if (answer.too_large || result == CURLE_FILESIZE_EXCEEDED) {
    return fmt::format("has more than {} MiB", kWebDocumentBytesMax >> 20);
  }
  if (result != CURLE_OK) return fmt::format("cannot be fetched: {}", *message ? message : curl_easy_strerror(result));
  const long status = StatusOf(answer.handle);
  return status >= kHttpErrorMin ? fmt::format("cannot be fetched: the server answers with {}", status) : "";
}

}  // namespace

absl::StatusOr<WebDocument> FetchWebDocument(const WebFetch& fetch) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  VIEWCOUNT_CHECK(ready == CURLE_OK);
  const File file(std::tmpfile());
  if (file == nullptr) return absl::ErrnoToStatus(errno, "cannot create a temporary file");
  const Handle handle(curl_easy_init());
  VIEWCOUNT_CHECK(handle != nullptr);
  std::array<char, CURL_ERROR_SIZE> message{};
  WebAnswer answer{.fetch = fetch, .handle = handle.get(), .file = file.get()};
  const std::string shown = WithoutCredentials(fetch.address);
  Configure(handle, fetch);
  Set(handle, CURLOPT_ERRORBUFFER, message.data());
  Set(handle, CURLOPT_WRITEFUNCTION, Receive);
  Set(handle, CURLOPT_WRITEDATA, &answer);
  Set(handle, CURLOPT_HEADERFUNCTION, ReceiveHeader);
  Set(handle, CURLOPT_HEADERDATA, &answer);
  const CURLcode result = curl_easy_perform(handle.get());
  const bool written = std::fflush(file.get()) == 0 && std::ferror(file.get()) == 0;
  if (!written) return absl::ErrnoToStatus(errno, fmt::format("{} cannot be written to a temporary file", shown));
  if (const auto problem = ProblemOf(result, answer, message.data()); !problem.empty()) {
    return absl::FailedPreconditionError(fmt::format("{} {}", shown, problem));
  }
  if (std::fseek(file.get(), 0, SEEK_SET) != 0) return absl::ErrnoToStatus(errno, "cannot read a temporary file");
  const int descriptor = dup(fileno(file.get()));
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "cannot open a temporary file again");
  auto source = ByteSource::Adopt(shown, descriptor);
  if (!source.ok()) return source.status();
  return WebDocument{*std::move(source), HostOf(EffectiveAddress(handle.get()))};
}

}  // namespace viewcount::cli
