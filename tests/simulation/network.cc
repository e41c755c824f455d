#include "tests/simulation/network.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace viewcount::simulation {
namespace asio = boost::asio;

// A timer that never expires by itself: only the world ends the wait.
struct Network::Wait {
  Wait(Network& waited_in, const void* whose, const asio::any_io_executor& executor)
      : network(waited_in), owner(whose), timer(executor, asio::steady_timer::time_point::max()) {
    network.hanging_.push_back(this);
  }
  ~Wait() { std::erase(network.hanging_, this); }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  Network& network;
  const void* owner;
  asio::steady_timer timer;
  bool released = false;
  bool broken = false;

  void Release(bool is_broken) {
    released = true;
    broken = is_broken;
    timer.cancel();
  }
};

asio::awaitable<bool> Network::Hang(const void* owner) {
  Wait wait(*this, owner, co_await asio::this_coro::executor);
  while (!wait.released) {
    boost::system::error_code ignored;
    co_await wait.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return !wait.broken;
}

void Network::ReleaseOne(bool broken) {
  if (!hanging_.empty()) random_.Pick(hanging_)->Release(broken);
}

void Network::ReleaseAll(const void* owner, bool broken) {
  for (Wait* wait : hanging_) {
    if (wait->owner == owner) wait->Release(broken);
  }
}

void Network::DeliverOne() {
  if (late_.empty()) return;
  std::swap(random_.Pick(late_), late_.back());
  const auto command = std::move(late_.back());
  late_.pop_back();
  asio::co_spawn(context_, command(), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  context_.restart();
  context_.poll();
}

}  // namespace viewcount::simulation
