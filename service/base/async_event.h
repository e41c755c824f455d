// Lets coroutines wait until another one reports a change: a condition variable for the coroutines of one executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace viewcount {

// Used on the executor's thread only. A notification without a waiting coroutine is lost, and a wait may end without
// one: check the condition in a loop, as with a condition variable. When the event is destroyed, all waits end.
class AsyncEvent {
 public:
  explicit AsyncEvent(const boost::asio::any_io_executor& executor)
      : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

  // Ends the wait of the coroutine that has waited longest.
  void NotifyOne() { timer_.cancel_one(); }
  // Ends all waits.
  void NotifyAll() { timer_.cancel(); }

  // Waits for a notification, or until `slot` is signalled.
  boost::asio::awaitable<void> Wait(boost::asio::cancellation_slot slot = {}) {
    boost::system::error_code ignored;
    co_await timer_.async_wait(
        boost::asio::bind_cancellation_slot(slot, boost::asio::redirect_error(boost::asio::use_awaitable, ignored)));
  }

 private:
  // Never expires; the cancellation of an operation is the notification.
  boost::asio::steady_timer timer_;
};

}  // namespace viewcount
