// Asks the store's thread from the server's.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace viewcount {

// Runs `question` on `store` and goes on where it was called, with its result. What it refers to must live until then.
template <typename Result>
boost::asio::awaitable<Result> OnStore(boost::asio::any_io_executor store, boost::asio::awaitable<Result> question) {
  return boost::asio::co_spawn(std::move(store), std::move(question), boost::asio::use_awaitable);
}

}  // namespace viewcount
