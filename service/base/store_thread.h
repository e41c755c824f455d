// The thread on which everything that waits for Redis runs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>

namespace viewcount {

// Must outlive every timer and connection on its executor. Before what its coroutines refer to goes, Drain must have
// been called.
class StoreThread {
 public:
  StoreThread()
      : guard_(boost::asio::make_work_guard(context_)),
        // An exception there is a bug or the end of memory; without this thread nothing would be flushed or answered,
        // so it ends the process.
        done_(std::async(std::launch::async, [this]() noexcept { context_.run(); })) {}
  ~StoreThread() { Drain(std::chrono::milliseconds(0)); }
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  boost::asio::any_io_executor executor() { return context_.get_executor(); }
  // Starts a coroutine there; the future has its result.
  template <typename Result>
  std::future<Result> Spawn(boost::asio::awaitable<Result> coroutine) {
    return boost::asio::co_spawn(context_, std::move(coroutine), boost::asio::use_future);
  }
  // Waits until all coroutines have ended, which they were told before; after `timeout` none goes on.
  void Drain(std::chrono::milliseconds timeout) {
    guard_.reset();
    if (!done_.valid()) return;
    if (done_.wait_for(timeout) != std::future_status::ready) context_.stop();
    done_.get();
  }

 private:
  boost::asio::io_context context_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> guard_;
  std::future<void> done_;
};

}  // namespace viewcount
