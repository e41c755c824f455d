// Runs several coroutines concurrently on one executor and waits for all of them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace viewcount {

// A group of coroutines. Used by the executor's thread only. It must outlive the coroutines that it spawned: await Wait
// before it is destroyed.
class WaitGroup {
 public:
  explicit WaitGroup(const boost::asio::any_io_executor& executor)
      : executor_(executor), done_(executor, boost::asio::steady_timer::time_point::max()) {}

  // Starts a coroutine. An exception that leaves the coroutine is passed on to the executor.
  void Spawn(boost::asio::awaitable<void> coroutine) {
    ++running_;
    boost::asio::co_spawn(executor_, std::move(coroutine), [this](const std::exception_ptr& error) {
      if (--running_ == 0) done_.cancel();
      if (error) std::rethrow_exception(error);
    });
  }

  boost::asio::awaitable<void> Wait() {
    while (running_ > 0) {
      boost::system::error_code ignored;
      co_await done_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    }
  }

 private:
  const boost::asio::any_io_executor executor_;
  boost::asio::steady_timer done_;
  int running_ = 0;
};

}  // namespace viewcount
