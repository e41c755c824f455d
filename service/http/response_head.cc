#include "service/http/response_head.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/beast/http/write.hpp>
#include <ctime>
#include <sstream>

namespace viewcount {
namespace {

namespace http = boost::beast::http;

// Returns the value of the field Date. It is formatted once a second, because that takes longer than the rest of the
// head.
const std::string& Date() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  if (const std::time_t now = std::time(nullptr); now != second) {
    second = now;
    text = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
  }
  return text;
}

}  // namespace

void CompleteHead(HttpResponse& response, unsigned version, bool keep_alive) {
  response.version(version);
  response.keep_alive(keep_alive);
  response.set(http::field::date, Date());
  // Prevents that a page interprets an answer as a script or another page because of its contents.
  response.set("X-Content-Type-Options", "nosniff");
}

std::string Serialize(HttpResponse response, unsigned version, bool keep_alive) {
  CompleteHead(response, version, keep_alive);
  response.prepare_payload();
  std::ostringstream bytes;
  bytes << static_cast<const http::response<http::string_body>&>(response);
  return bytes.str();
}

}  // namespace viewcount
