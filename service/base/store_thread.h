// The thread that runs all work that waits for Redis.
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

// Runs an io_context on a thread that it owns. It must outlive every timer and connection on its executor. Call Drain
// before anything is destroyed to which its coroutines refer. executor and Spawn are thread-safe; Drain is called by
// the owner only.
class StoreThread {
 public:
  StoreThread()
      : guard_(boost::asio::make_work_guard(context_)),
        // An exception there is a bug, or memory has run out. It ends the process, because without this thread nothing
        // would be flushed or answered.
        done_(std::async(std::launch::async, [this]() noexcept { context_.run(); })) {}
  ~StoreThread() { Drain(std::chrono::milliseconds(0)); }
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  boost::asio::any_io_executor executor() { return context_.get_executor(); }
  // Starts a coroutine on this thread. The future holds its result.
  template <typename Result>
  std::future<Result> Spawn(boost::asio::awaitable<Result> coroutine) {
    return boost::asio::co_spawn(context_, std::move(coroutine), boost::asio::use_future);
  }
  // Waits until all coroutines have ended. The caller must have asked them to end. After `timeout` the remaining ones
  // are not resumed any more.
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
