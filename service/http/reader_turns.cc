#include "service/http/reader_turns.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "service/base/status.h"

namespace viewcount {

namespace asio = boost::asio;

struct ReaderTurns::Waiter {
  Waiter(ReaderTurns& waited_for, const asio::any_io_executor& executor)
      : turns(waited_for), timer(executor, kReaderWaitMax) {
    turns.waiting_.push_back(this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { std::erase(turns.waiting_, this); }

  ReaderTurns& turns;
  asio::steady_timer timer;
  // Set when the turn of another question was passed on to this one.
  std::shared_ptr<Turn> turn;
};

asio::awaitable<absl::StatusOr<ReaderTurns::Turn>> ReaderTurns::Take() {
  const auto self = shared_from_this();
  if (running_ < kReaderQuestionsMax) {
    ++running_;
    co_return Turn(self);
  }
  const absl::Status refused =
      RetryLater(absl::StatusCode::kUnavailable, "too many questions of readers at once; ask again", kReaderRetryAfter);
  if (waiting_.size() >= kReaderWaitingMax) co_return refused;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Waiter waiter(*this, executor);
  boost::system::error_code ended;
  co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  if (waiter.turn == nullptr) co_return refused;
  co_return Turn(std::move(*waiter.turn));
}

void ReaderTurns::Leave() {
  if (waiting_.empty()) {
    --running_;
    return;
  }
  Waiter& next = *waiting_.front();
  waiting_.pop_front();
  next.turn = std::make_shared<Turn>(shared_from_this());
  next.timer.cancel();
}

}  // namespace viewcount
