// Answers that caches may keep: with an ETag, and 304 for those who have it already.
#pragma once

#include <string>
#include <string_view>

#include "service/http/router.h"

namespace viewcount {

// What is sent, and how.
struct Content {
  std::string type;
  std::string body;
  // Content-Encoding; empty for none.
  std::string encoding = {};
};

// `cache_control` as the field has it, such as "public, max-age=10".
HttpResponse CachedResponse(const HttpRequest& request, const Content& content, std::string_view cache_control);

}  // namespace viewcount
