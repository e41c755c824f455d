// A batch of views whose sender is a coroutine of an HTTP server.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "service/http/completion_queue.h"
#include "service/ingest/ingestor.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

// Owned by the coroutine that waits for it. Reusable: when Wait has returned, it takes the next request and keeps its
// memory. Not thread-safe: all functions except Done are called on the server's thread.
class AwaitedBatch final : public Batch, public CompletionQueue::Item {
 public:
  explicit AwaitedBatch(CompletionQueue& returns) : returns_(returns) {}

  // Submits `views` for counting. `viewer_before` has the meaning of Batch::previous_viewer. The caller must call Wait
  // next, without awaiting anything in between.
  void Submit(Ingestor& ingestor, const v1::RecordViewsRequest& views, uint64_t viewer_before);
  // Waits until the views are as durable as they request, or are refused.
  boost::asio::awaitable<void> Wait();

  // The outcome. Valid after Wait.
  const absl::Status& status() const { return status_; }
  const IngestResult& result() const { return result_; }

 private:
  using Handler = boost::asio::async_result<boost::asio::use_awaitable_t<>, void()>::handler_type;

  void Done(const absl::Status& status, const IngestResult& result) override;
  void Return() override;
  void Abandon() override;

  CompletionQueue& returns_;
  std::string text_;
  // Resumes the waiting coroutine. Set while a lane has the batch.
  std::optional<Handler> handler_;
  bool submitted_ = false;
  absl::Status status_;
  IngestResult result_;
};

}  // namespace viewcount
