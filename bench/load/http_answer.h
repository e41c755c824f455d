// Where an HTTP answer ends, and its status: as much of HTTP/1.1 as a load generator must read.
#pragma once

#include <cstddef>
#include <string_view>

namespace viewcount::bench {

struct HttpAnswer {
  enum class State { kIncomplete, kComplete, kUnreadable };
  State state = State::kIncomplete;
  int status = 0;
  // Of the whole answer, when it is complete.
  size_t bytes = 0;
  // The server will close the connection.
  bool closes = false;
};

// Reads the answer that `bytes` begin with. Bodies must have a Content-Length; answers in chunks are unreadable.
HttpAnswer ReadHttpAnswer(std::string_view bytes);

}  // namespace viewcount::bench
