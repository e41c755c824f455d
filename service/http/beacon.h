// A browser's beacon: a request with one view, as count.js sends it, read in one pass over its bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace viewcount {

// Points into the bytes that it was read from.
struct Beacon {
  std::string_view site;
  std::string_view article_id;
  // The fields of that name; empty if there are none.
  std::string_view origin;
  std::string_view referer;
  std::string_view agent;
  std::string_view forwarded_for;
  // Header and body.
  size_t bytes = 0;
};

// Reads the request with which `received` begins:
//
//   POST /v1/sites/SITE/views HTTP/1.1, fields, {"articleId":"ID"}
//
// Nothing if it is any other one, is not there as a whole, or has anything that takes more than this to understand: a
// field that frames the message in another way, one that counts twice, one that says that nobody looks yet or who does,
// an agent beyond limits::kAgentBytesMax, an escape, a byte beyond ASCII. What it does take the general parser would
// take in the same way.
std::optional<Beacon> ReadBeacon(std::string_view received);

}  // namespace viewcount
