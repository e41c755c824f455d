// Answers that caches may keep. They carry an ETag, and callers that already have the content get 304.
#pragma once

#include <string>
#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// The content of an answer and its headers.
struct Content {
  std::string type;
  std::string body;
  // The value of Content-Encoding. Empty for none.
  std::string encoding = {};
};

// Returns the answer to `request`, or 304 if its If-None-Match names the content. `cache_control` is the field's value,
// such as "public, max-age=10".
HttpResponse CachedResponse(const HttpRequest& request, const Content& content, std::string_view cache_control);

}  // namespace viewcount
