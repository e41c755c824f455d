// Runs several coroutines concurrently on one executor and waits for all of them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "service/base/async_event.h"

namespace viewcount {

// A group of coroutines. Used by the executor's thread only. It must outlive the coroutines that it spawned: await Wait
// before it is destroyed.
class WaitGroup {
 public:
  explicit WaitGroup(const boost::asio::any_io_executor& executor) : executor_(executor), done_(executor) {}

  // Starts a coroutine. An exception that leaves the coroutine is passed on to the executor.
  void Spawn(boost::asio::awaitable<void> coroutine) {
    ++running_;
    boost::asio::co_spawn(executor_, std::move(coroutine), [this](const std::exception_ptr& error) {
      if (--running_ == 0) done_.NotifyAll();
      if (error) std::rethrow_exception(error);
    });
  }

  boost::asio::awaitable<void> Wait() {
    while (running_ > 0) co_await done_.Wait();
  }

 private:
  const boost::asio::any_io_executor executor_;
  AsyncEvent done_;
  int running_ = 0;
};

}  // namespace viewcount
