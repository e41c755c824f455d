#include "service/http/cached_response.h"

#include <fmt/format.h>

#include "service/base/hash.h"

namespace viewcount {

namespace http = boost::beast::http;

HttpResponse CachedResponse(const HttpRequest& request, const Content& content, std::string_view cache_control) {
  HttpResponse response;
  const std::string tag = fmt::format("\"{:016x}\"", Hash64(content.body));
  response.set(http::field::etag, tag);
  response.set(http::field::cache_control, std::string(cache_control));
  if (!content.encoding.empty()) response.set(http::field::content_encoding, content.encoding);
  // If-None-Match is a list of tags, or * for any (RFC 9110, section 13.1.2). A substring match is enough, because tags
  // are hashes in quotes.
  const auto known = request[http::field::if_none_match];
  if (known == "*" || std::string_view(known.data(), known.size()).find(tag) != std::string_view::npos) {
    response.result(http::status::not_modified);
    return response;
  }
  response.set(http::field::content_type, content.type);
  response.body() = content.body;
  return response;
}

}  // namespace viewcount
