// Where gRPC requests come from, and what their answers mean.
#pragma once

#include <grpc/slice.h>
#include <grpc/status.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "bench/load/options.h"
#include "bench/load/tally.h"

namespace viewcount::bench {

// A request's bytes in one or two pieces, each with a reference that is the receiver's.
struct Request {
  std::array<grpc_slice, 2> slices;
  size_t slice_count = 1;
};

// A slot's calls come in turns, Next and Understand. Those for different slots may come from different threads, but no
// two calls of Next at once, and none of Understand. It outlives all requests, whose bytes it owns.
class RequestSource {
 public:
  virtual ~RequestSource() = default;

  virtual const char* method() const = 0;
  virtual Request Next(size_t slot) = 0;
  // `response` is empty unless `code` is OK.
  virtual Answer Understand(size_t slot, grpc_status_code code, std::string_view response) = 0;
  // Views that may have been counted and may not. Call it at the end.
  virtual uint64_t doubtful_views() const { return 0; }
};

std::unique_ptr<RequestSource> MakeViewSource(const Options& options);
std::unique_ptr<RequestSource> MakeQuestionSource(const Options& options);

// Of a gRPC status.
std::string_view NameOf(grpc_status_code code);

}  // namespace viewcount::bench
