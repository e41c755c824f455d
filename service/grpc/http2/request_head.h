// The headers of a gRPC request.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace viewcount {

// The headers of a request that the service uses, except for the path. A value type.
struct RequestHead {
  // Adds one header of any name. When all headers exceed limits::kHttp2HeaderBytesMax, further ones are only counted.
  void Add(std::string_view name, std::string_view value);
  // Returns true if the headers exceed limits::kHttp2HeaderBytesMax.
  bool too_large() const;

  // From `grpc-timeout`, relative to the time at which the header arrived.
  std::optional<std::chrono::steady_clock::time_point> deadline;
  // The size of all headers, computed as for SETTINGS_MAX_HEADER_LIST_SIZE.
  size_t bytes = 0;
  // True if `content-type` names gRPC. It is false for gRPC-Web.
  bool is_grpc = false;
  // True if `grpc-encoding` is gzip or deflate, so messages may be compressed.
  bool compressed = false;
  // True if `grpc-encoding` is absent, or an encoding that the service can read.
  bool known_encoding = true;
};

}  // namespace viewcount
