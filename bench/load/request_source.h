// The source of gRPC requests, which also interprets their answers.
#pragma once

#include <grpc/slice.h>
#include <grpc/status.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "bench/load/options.h"
#include "bench/load/tally.h"

namespace viewcount::bench {

// The bytes of a request in one or two pieces. Each piece has a reference that the receiver owns.
struct Request {
  std::array<grpc_slice, 2> slices;
  size_t slice_count = 1;
};

// Creates requests and interprets answers. For each slot, Next and Understand are called alternately. Not thread-safe.
// It owns the requests' bytes and must outlive all requests.
class RequestSource {
 public:
  virtual ~RequestSource() = default;

  virtual const char* method() const = 0;
  virtual Request Next(size_t slot) = 0;
  // Interprets an answer. `response` is empty unless `code` is OK.
  virtual Answer Understand(size_t slot, grpc_status_code code, std::string_view response) = 0;
  // Returns the number of views of which it is unknown whether they were counted. Must be called at the end.
  virtual uint64_t doubtful_views() const { return 0; }
};

// Combines the source and the tally. Both must outlive it. Thread-safe.
class Books {
 public:
  Books(RequestSource& source, Tally& tally) : source_(source), tally_(tally) {}

  const char* method() const { return source_.method(); }
  Request Next(size_t slot) {
    const std::lock_guard lock(mutex_);
    return source_.Next(slot);
  }
  // Records the answer to the slot's last request, which was due at `due`.
  void Answered(size_t slot, TimePoint due, TimePoint now, grpc_status_code code, std::string_view response) {
    const std::lock_guard lock(mutex_);
    tally_.Tick(now);
    tally_.Add(due, now, source_.Understand(slot, code, response));
  }
  void Tick(TimePoint now) {
    const std::lock_guard lock(mutex_);
    tally_.Tick(now);
  }

 private:
  std::mutex mutex_;
  RequestSource& source_;
  Tally& tally_;
};

std::unique_ptr<RequestSource> MakeViewSource(const Options& options);
std::unique_ptr<RequestSource> MakeQuestionSource(const Options& options);

// Returns the name of a gRPC status.
std::string_view NameOf(grpc_status_code code);

}  // namespace viewcount::bench
