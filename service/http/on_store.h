// Runs coroutines on the store's thread from the server's thread.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace viewcount {

// Runs `question` on `store`, and resumes the caller on its own executor with the result. Objects that `question`
// refers to must live until then.
template <typename Result>
boost::asio::awaitable<Result> OnStore(boost::asio::any_io_executor store, boost::asio::awaitable<Result> question) {
  return boost::asio::co_spawn(std::move(store), std::move(question), boost::asio::use_awaitable);
}

}  // namespace viewcount
