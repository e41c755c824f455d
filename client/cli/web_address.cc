#include "client/cli/web_address.h"

#include <absl/strings/ascii.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "service/base/check.h"

namespace viewcount::cli {
namespace {

struct CloseUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const { curl_free(text); }
};

// An address in its parts. Not thread-safe.
class WebAddress {
 public:
  WebAddress() : url_(curl_url()) { VIEWCOUNT_CHECK(url_ != nullptr); }

  // Sets the address. A relative one is resolved against the address so far. Returns false if it is not understood.
  bool Set(const std::string& address) {
    return curl_url_set(url_.get(), CURLUPART_URL, address.c_str(), 0) == CURLUE_OK;
  }

  // Returns a part, or an empty text.
  std::string Part(CURLUPart part) const {
    char* text = nullptr;
    if (curl_url_get(url_.get(), part, &text, 0) != CURLUE_OK) return "";
    const std::unique_ptr<char, FreeText> owned(text);
    return text;
  }

 private:
  const std::unique_ptr<CURLU, CloseUrl> url_;
};

}  // namespace

std::string WithoutCredentials(std::string_view address) {
  constexpr std::string_view kSchemeEnd = "://";
  size_t begin = address.find(kSchemeEnd);
  if (begin == std::string_view::npos) return std::string(address);
  begin += kSchemeEnd.size();
  // A password with a slash that is not escaped makes an address that is not understood.
  const bool understood = WebAddress().Set(std::string(address));
  const size_t end = understood ? std::min(address.find_first_of("/?#", begin), address.size()) : address.size();
  const size_t at = address.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(address);
  return std::string(address.substr(0, begin)).append(address.substr(at + 1));
}

std::string HostOf(const std::string& address) {
  WebAddress parts;
  if (!parts.Set(address)) return "";
  std::string host = absl::AsciiStrToLower(parts.Part(CURLUPART_HOST));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

std::string RedirectTarget(const std::string& address, const std::string& location) {
  WebAddress parts;
  if (!parts.Set(address) || !parts.Set(location)) return "";
  return parts.Part(CURLUPART_URL);
}

}  // namespace viewcount::cli
