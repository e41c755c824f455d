#include "client/cli/web_document.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "client/cli/web_address.h"
#include "service/base/check.h"

namespace viewcount::cli {
namespace {

constexpr char kWebSchemes[] = "http,https";
constexpr char kUserAgent[] = "viewcount/" VIEWCOUNT_VERSION;
// The first status of HTTP that is an error.
constexpr long kHttpErrorMin = 400;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;

// Receives the bytes of one answer.
struct WebBody {
  std::FILE* file;
  uint64_t bytes = 0;
  bool too_large = false;
};

size_t Receive(char* data, size_t, size_t size, void* to) {
  auto& body = *static_cast<WebBody*>(to);
  body.bytes += size;
  if (body.bytes > kWebDocumentBytesMax) {
    body.too_large = true;
    return 0;
  }
  return std::fwrite(data, 1, size, body.file);
}

template <typename Value>
void Set(const Handle& handle, CURLoption option, Value value) {
  VIEWCOUNT_CHECK(curl_easy_setopt(handle.get(), option, value) == CURLE_OK);
}

void Configure(const Handle& handle, const std::string& address, std::chrono::milliseconds timeout) {
  Set(handle, CURLOPT_URL, address.c_str());
  Set(handle, CURLOPT_PROTOCOLS_STR, kWebSchemes);
  Set(handle, CURLOPT_REDIR_PROTOCOLS_STR, kWebSchemes);
  Set(handle, CURLOPT_FOLLOWLOCATION, 1L);
  Set(handle, CURLOPT_MAXREDIRS, static_cast<long>(kWebRedirectsMax));
  Set(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(kWebConnectTimeout.count()));
  Set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  Set(handle, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(kWebDocumentBytesMax));
  Set(handle, CURLOPT_USERAGENT, kUserAgent);
  // Signals belong to the command.
  Set(handle, CURLOPT_NOSIGNAL, 1L);
}

// Says why there is no document. Empty if there is one.
std::string ProblemOf(const Handle& handle, CURLcode result, const WebBody& body, const char* message) {
  if (body.too_large || result == CURLE_FILESIZE_EXCEEDED) {
    return fmt::format("has more than {} MiB", kWebDocumentBytesMax >> 20);
  }
  if (result != CURLE_OK) return fmt::format("cannot be fetched: {}", *message ? message : curl_easy_strerror(result));
  long status = 0;
  VIEWCOUNT_CHECK(curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status) == CURLE_OK);
  return status >= kHttpErrorMin ? fmt::format("cannot be fetched: the server answers with {}", status) : "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> FetchWebDocument(const std::string& address,
                                                             std::chrono::milliseconds timeout) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  VIEWCOUNT_CHECK(ready == CURLE_OK);
  const File file(std::tmpfile());
  if (file == nullptr) return absl::ErrnoToStatus(errno, "cannot create a temporary file");
  const Handle handle(curl_easy_init());
  VIEWCOUNT_CHECK(handle != nullptr);
  std::array<char, CURL_ERROR_SIZE> message{};
  WebBody body{file.get()};
  const std::string shown = WithoutCredentials(address);
  Configure(handle, address, timeout);
  Set(handle, CURLOPT_ERRORBUFFER, message.data());
  Set(handle, CURLOPT_WRITEFUNCTION, Receive);
  Set(handle, CURLOPT_WRITEDATA, &body);
  const CURLcode result = curl_easy_perform(handle.get());
  const bool written = std::fflush(file.get()) == 0 && std::ferror(file.get()) == 0;
  if (!written) return absl::ErrnoToStatus(errno, fmt::format("{} cannot be written to a temporary file", shown));
  if (const auto problem = ProblemOf(handle, result, body, message.data()); !problem.empty()) {
    return absl::FailedPreconditionError(fmt::format("{} {}", shown, problem));
  }
  if (std::fseek(file.get(), 0, SEEK_SET) != 0) return absl::ErrnoToStatus(errno, "cannot read a temporary file");
  const int descriptor = dup(fileno(file.get()));
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "cannot open a temporary file again");
  return ByteSource::Adopt(shown, descriptor);
}

}  // namespace viewcount::cli
