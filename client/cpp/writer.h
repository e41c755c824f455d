// Reports page views to a viewcount service: batched, retried, in order, and each counted exactly once.
//
//   viewcount::client::WriterOptions options;
//   options.site = "portal";
//   auto writer = viewcount::client::Writer::Create(options);   // absl::StatusOr
//   if (!writer.ok()) …
//   (*writer)->Record({.article_id = "news/3933", .viewer = hash_of_the_viewer});
//
// Record only puts the view into memory; a thread of the writer sends batches, one at a time. A batch whose answer is
// lost is sent again under the same identity, and the service counts it once. What cannot be delivered is told
// (`on_drop`), never lost in silence. This header needs the standard library and Abseil, and C++17 (C++20 for the
// designated initialisers above).
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

// One page view, or several that are alike.
struct View {
  // 1 to 512 bytes of UTF-8 without control characters.
  std::string article_id;
  // How many alike: 1 to 1,000,000; 0 means 1.
  uint32_t count = 1;
  // A 64-bit hash of whoever looked; 0 if unknown. Never an address or a cookie.
  uint64_t viewer = 0;
  // When, in milliseconds since 1970-01-01 UTC: at most 24 hours before and 5 minutes after now; 0 means now.
  int64_t event_time_unix_ms = 0;
  // A machine looked.
  bool bot = false;
};

// How safe a view is to be when it is acknowledged; the values of viewcount.v1.Durability.
enum class Durability {
  // What the service thinks best.
  kUnspecified = 0,
  // In the memory of one process.
  kMemory = 1,
  // On disk.
  kJournaled = 2,
  // In Redis. Every batch waits for a flush, so that a writer sends about one batch a second.
  kStored = 3,
};

// Views that were given up.
struct DroppedBatch {
  // Why; the service's error with its details as payloads.
  absl::Status error;
  // True if an attempt ended without an answer: then the views may have been counted all the same.
  bool may_have_been_counted = false;
  // The views as they were recorded (equal ones added up).
  std::vector<View> views;
};

// Settings of a writer. Times of 0 or less and sizes of 0 are refused.
struct WriterOptions {
  // The portal. Required.
  std::string site;
  // HOST:PORT, without encryption; not used with `channel`.
  std::string server = "127.0.0.1:7400";
  // Another channel, for TLS or for tests. Empty: the writer makes its own to `server`.
  std::shared_ptr<grpc::Channel> channel;
  // What an acknowledgement is to mean. More safety costs latency for each batch, not views per second.
  Durability durability = Durability::kUnspecified;

  // A batch is sent when it has this many distinct entries, 1 to 10,000. More costs memory and saves calls.
  size_t batch_entries_max = 1'000;
  // And when its first view is this old. Longer adds up more equal views, and loses more if this process dies.
  std::chrono::milliseconds batch_age_max{100};

  // For one attempt to send a batch.
  std::chrono::milliseconds call_timeout{10'000};
  // For all attempts of a batch; then it is dropped. Longer bridges longer absences, for as long as memory lasts.
  std::chrono::milliseconds batch_timeout{300'000};
  // The first pause before a batch is sent again, doubling up to the longest.
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{5'000};

  // Memory for views that are not acknowledged, in bytes; the serialised batch on its way comes on top (up to 4 MiB).
  size_t pending_bytes_max = size_t{64} << 20;
  // When that is full, Record waits for room (until the writer is closed) instead of refusing.
  bool block_when_full = false;
  // Views without an event time get the present one when they are recorded, so that a view delivered late counts in its
  // own hour. Off: the service takes the time of receipt.
  bool stamp_event_time = true;
  // How long the destructor waits for acknowledgements; then the rest is dropped.
  std::chrono::milliseconds close_timeout{10'000};

  // Told of every batch that was given up, by the writer's thread; must not call the writer. Every drop is logged too.
  std::function<void(const DroppedBatch&)> on_drop;
  // Takes one line for the operator at a time, from the writer's thread; empty: standard error.
  std::function<void(const std::string&)> log;
};

// Numbers of views (sums of `count`) and of batches since the writer was made. At all times
// recorded = accepted + duplicates + dropped + pending.
struct WriterStatistics {
  // Taken by Record and TryRecord.
  uint64_t recorded = 0;
  // Refused by Record and TryRecord: invalid, or no room.
  uint64_t refused = 0;
  // Acknowledged by the attempt that counted them.
  uint64_t accepted = 0;
  // Acknowledged as counted by an earlier attempt, whose answer was lost. They count once, like the accepted ones.
  uint64_t duplicates = 0;
  // Given up; `on_drop` was told.
  uint64_t dropped = 0;
  // Not acknowledged yet, and their memory.
  uint64_t pending = 0;
  size_t pending_bytes = 0;
  // Batches acknowledged.
  uint64_t batches = 0;
  // Attempts after a batch's first.
  uint64_t retries = 0;
  // How often the writer went on under a new ID, because the service had forgotten the old one or a batch was dropped.
  uint64_t new_identities = 0;
};

// Thread safe, except for the destructor, which must be the last call.
class Writer {
 public:
  // Makes a writer and its thread; does not contact the service.
  // INVALID_ARGUMENT: an option is outside its limits; the message names it.
  static absl::StatusOr<std::unique_ptr<Writer>> Create(WriterOptions options);
  // Close(close_timeout).
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Takes a view for delivery. OK means: in memory, and to be delivered or told to `on_drop`.
  // INVALID_ARGUMENT: the view is outside its limits. RESOURCE_EXHAUSTED: `pending_bytes_max` is reached (with
  // `block_when_full` it waits instead). FAILED_PRECONDITION: the writer is closed.
  absl::Status Record(const View& view);
  // Record that never waits, whatever `block_when_full` says.
  absl::Status TryRecord(const View& view);

  // Waits until everything recorded before the call is acknowledged.
  // DEADLINE_EXCEEDED: not yet; the views stay pending. DATA_LOSS: a batch was dropped while it waited; the message
  // has the reason.
  absl::Status Flush(std::chrono::milliseconds timeout);

  // Takes no more views, delivers what is pending, and ends the thread. What is not acknowledged by `timeout` is
  // dropped, and told. Errors as Flush. A second call returns the first one's result.
  absl::Status Close(std::chrono::milliseconds timeout);

  // A consistent snapshot.
  WriterStatistics statistics() const;

 private:
  class Impl;
  explicit Writer(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace viewcount::client
