// Finds the end of an HTTP answer and its status: the part of HTTP/1.1 that a load generator must read.
#pragma once

#include <cstddef>
#include <string_view>

namespace viewcount::bench {

struct HttpAnswer {
  enum class State { kIncomplete, kComplete, kUnreadable };
  State state = State::kIncomplete;
  int status = 0;
  // The size of the whole answer, if it is complete.
  size_t bytes = 0;
  // True if the server will close the connection.
  bool closes = false;
};

// Reads the answer at the beginning of `bytes`. Answers must have a Content-Length if they have a body. Chunked answers
// are reported as unreadable.
HttpAnswer ReadHttpAnswer(std::string_view bytes);

}  // namespace viewcount::bench
