// Reports page views to a viewcount service: batched, retried, in order, and each counted exactly once.
//
//   viewcount::client::WriterOptions options;
//   options.site = "portal";
//   auto writer = viewcount::client::Writer::Create(options);   // absl::StatusOr
//   if (!writer.ok()) …
//   (*writer)->Record({.article_id = "news/3933", .viewer = hash_of_the_viewer});
//
// Record only puts the view into memory. A thread of the writer sends batches, one at a time. A batch whose answer is
// lost is sent again under the same identity, and the service counts it once. Views that cannot be delivered are
// reported through `on_drop` and never lost silently. This header needs the standard library, Abseil and C++17. The
// designated initialisers in the example need C++20.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Channel;
}

namespace viewcount::client {

// One page view, or several equal ones.
struct View {
  // 1 to 512 bytes of UTF-8 without control characters.
  std::string article_id;
  // The number of equal views: 1 to 1,000,000. 0 means 1.
  uint32_t count = 1;
  // A 64-bit hash of the viewer, or 0 if the viewer is unknown. Never an address or a cookie.
  uint64_t viewer = 0;
  // The time of the view in milliseconds since 1970-01-01 UTC. At most 24 hours before and 5 minutes after now. 0 means
  // now.
  int64_t event_time_unix_ms = 0;
  // True if the viewer was a machine.
  bool bot = false;
};

// The safety that a view must have when it is acknowledged. The values are those of viewcount.v1.Durability.
enum class Durability {
  // The service's default.
  kUnspecified = 0,
  // In the memory of one process.
  kMemory = 1,
  // On disk.
  kJournaled = 2,
  // In Redis. Every batch waits for a flush, so a writer sends about one batch a second.
  kStored = 3,
};

// A batch of views that was given up.
struct DroppedBatch {
  // The reason: the service's error, with its details as payloads.
  absl::Status error;
  // True if an attempt ended without an answer. The views may then have been counted nevertheless.
  bool may_have_been_counted = false;
  // The views as they were recorded, with equal ones added up.
  std::vector<View> views;
};

// The settings of a writer. Times of 0 or less and sizes of 0 are refused, except that `close_timeout` may be 0.
struct WriterOptions {
  // The portal's site. Required.
  std::string site;
  // The service's address as HOST:PORT. The connection is not encrypted. Not used if `channel` is set.
  std::string server = "127.0.0.1:7400";
  // Another channel, for TLS or for tests. If it is empty, the writer creates its own channel to `server`.
  std::shared_ptr<grpc::Channel> channel;
  // The meaning of an acknowledgement. More safety increases the latency of each batch. It does not reduce the views
  // per second.
  Durability durability = Durability::kUnspecified;

  // A batch is sent when it has this many distinct entries, 1 to 10,000. A higher value costs memory and saves calls.
  size_t batch_entries_max = 1'000;
  // A batch is also sent when its first view is this old. A longer time adds up more equal views, and loses more views
  // if this process dies.
  std::chrono::milliseconds batch_age_max{100};

  // The time limit of one attempt to send a batch.
  std::chrono::milliseconds call_timeout{10'000};
  // The time limit of all attempts of a batch, after which the batch is dropped. A longer time bridges longer absences
  // of the service, as long as there is memory.
  std::chrono::milliseconds batch_timeout{300'000};
  // The first pause before a batch is sent again, and the longest pause. The pause doubles from the first to the
  // longest.
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{5'000};

  // The memory for views that are not acknowledged, in bytes. The serialised batch that is being sent needs up to 4 MiB
  // more.
  size_t pending_bytes_max = size_t{64} << 20;
  // When that memory is full, Record waits for room instead of refusing the view. It stops waiting when the writer is
  // closed.
  bool block_when_full = false;
  // Gives views without an event time the present time when they are recorded. A view that is delivered late then
  // counts in its own hour. If this is off, the service uses the time of receipt.
  bool stamp_event_time = true;
  // The time that the destructor waits for acknowledgements. Views that are not acknowledged by then are dropped.
  std::chrono::milliseconds close_timeout{10'000};

  // Called by the writer's thread for every batch that was given up. It must not call the writer. Every drop is logged
  // too.
  std::function<void(const DroppedBatch&)> on_drop;
  // Called by the writer's thread with one line for the operator. If it is empty, the line goes to standard error.
  std::function<void(const std::string&)> log;
};

// Numbers of views (sums of `count`) and of batches since the writer was created. At all times recorded = accepted +
// duplicates + dropped + pending.
struct WriterStatistics {
  // Views that Record and TryRecord accepted.
  uint64_t recorded = 0;
  // Views that Record and TryRecord refused: invalid views, no room, or a closed writer.
  uint64_t refused = 0;
  // Views that were acknowledged by the attempt that counted them.
  uint64_t accepted = 0;
  // Views that were acknowledged as counted by an earlier attempt, whose answer was lost. They count once, like the
  // accepted ones.
  uint64_t duplicates = 0;
  // Views that were given up and reported to `on_drop`.
  uint64_t dropped = 0;
  // Views that are not acknowledged yet, and their memory in bytes.
  uint64_t pending = 0;
  size_t pending_bytes = 0;
  // Batches that were acknowledged.
  uint64_t batches = 0;
  // Attempts after a batch's first attempt.
  uint64_t retries = 0;
  // The number of times that the writer continued under a new ID. It does so if the service has forgotten the old one,
  // or if a batch was dropped.
  uint64_t new_identities = 0;
};

// Records views for one site. Thread-safe, except for the destructor, which must be the last call. Owns its thread.
class Writer {
 public:
  // Creates a writer and its thread without contacting the service. Returns INVALID_ARGUMENT if an option is outside
  // its limits. The message names the option.
  static absl::StatusOr<std::unique_ptr<Writer>> Create(WriterOptions options);
  // Calls Close(close_timeout).
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Takes a view for delivery. OK means that the view is in memory and will be delivered or reported to `on_drop`.
  // Returns INVALID_ARGUMENT if the view is outside its limits. Returns RESOURCE_EXHAUSTED if `pending_bytes_max` is
  // reached; with `block_when_full` it waits instead. Returns FAILED_PRECONDITION if the writer is closed.
  absl::Status Record(const View& view);
  // Works like Record but never waits, whatever `block_when_full` says.
  absl::Status TryRecord(const View& view);

  // Waits until everything that was recorded before the call is acknowledged. Returns DEADLINE_EXCEEDED if that takes
  // longer than `timeout`; the views stay pending. Returns DATA_LOSS if a batch was dropped during the wait; the
  // message has the reason.
  absl::Status Flush(std::chrono::milliseconds timeout);

  // Stops taking views, delivers the pending ones, and ends the thread. Views that are not acknowledged within
  // `timeout` are dropped and reported. Returns the errors of Flush. A second call returns the first one's result.
  absl::Status Close(std::chrono::milliseconds timeout);

  // Returns a consistent snapshot.
  WriterStatistics statistics() const;

 private:
  class Impl;
  explicit Writer(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace viewcount::client
