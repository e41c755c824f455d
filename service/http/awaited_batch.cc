#include "service/http/awaited_batch.h"

#include <utility>

namespace viewcount {

namespace asio = boost::asio;

void AwaitedBatch::Submit(Ingestor& ingestor, const v1::RecordViewsRequest& views, uint64_t viewer_before) {
  views.SerializeToString(&text_);
  bytes = text_;
  previous_viewer = viewer_before;
  // This is set before Submit: as soon as a lane has the batch, the lane may finish it.
  submitted_ = true;
  if (auto status = ingestor.Submit(this); !status.ok()) {
    submitted_ = false;
    status_ = std::move(status);
    result_ = {};
  }
}

asio::awaitable<void> AwaitedBatch::Wait() {
  if (!submitted_) co_return;
  // The function object has a name, because g++ 12 sometimes destroys temporaries of a co_await expression twice.
  const auto keep = [this](auto handler) { handler_.emplace(std::move(handler)); };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(keep, asio::use_awaitable);
}

void AwaitedBatch::Done(const absl::Status& status, const IngestResult& result) {
  status_ = status;
  result_ = result;
  returns_.Put(*this);
}

void AwaitedBatch::Return() {
  submitted_ = false;
  // The waiting coroutine may destroy the batch or submit it again, so the handler is moved out first.
  Handler handler = *std::exchange(handler_, std::nullopt);
  std::move(handler)();
}

void AwaitedBatch::Abandon() {
  // Destroying the handler destroys the coroutine, and the coroutine owns this batch.
  const auto handler = std::exchange(handler_, std::nullopt);
}

}  // namespace viewcount
