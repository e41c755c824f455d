#include "service/http/awaited_batch.h"

#include <utility>

namespace viewcount {

namespace asio = boost::asio;

void AwaitedBatch::Submit(Ingestor& ingestor, const v1::RecordViewsRequest& views, uint64_t viewer_before) {
  views.SerializeToString(&text_);
  bytes = text_;
  previous_viewer = viewer_before;
  // Before a lane has it, which may be done with it at any moment.
  submitted_ = true;
  if (auto status = ingestor.Submit(this); !status.ok()) {
    submitted_ = false;
    status_ = std::move(status);
    result_ = {};
  }
}

asio::awaitable<void> AwaitedBatch::Wait() {
  if (!submitted_) co_return;
  // By name: g++ 12 destroys what is made within co_await twice at times.
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
  // Whoever waits may destroy the batch or submit it again.
  Handler handler = *std::exchange(handler_, std::nullopt);
  std::move(handler)();
}

void AwaitedBatch::Abandon() {
  // Goes with the coroutine, and that with the batch.
  const auto handler = std::exchange(handler_, std::nullopt);
}

}  // namespace viewcount
