// The headers of a gRPC request.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace viewcount {

// What the service uses of a request's headers, except for its path. A value type.
struct RequestHead {
  // Takes one header of any name. Headers beyond limits::kHttp2HeaderBytesMax are counted, and ignored.
  void Add(std::string_view name, std::string_view value);
  // Whether the headers are larger than they may be.
  bool too_large() const;

  // From `grpc-timeout`, counted from when the header came.
  std::optional<std::chrono::steady_clock::time_point> deadline;
  // As SETTINGS_MAX_HEADER_LIST_SIZE counts them.
  size_t bytes = 0;
  // `content-type` names gRPC. gRPC-Web is something else.
  bool is_grpc = false;
  // `grpc-encoding` allows compressed messages.
  bool compressed = false;
  // `grpc-encoding` is absent or one that the service reads.
  bool known_encoding = true;
};

}  // namespace viewcount
