// The fast path for the most common request. It turns a connection's bytes directly into the bytes of the answer.
//
// It accepts only requests that the general path would treat in the same way. Errors, rare fields and incomplete
// requests are left to the general path. So the general path alone defines how HTTP is interpreted.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <memory>
#include <string_view>

namespace viewcount {

// The fast path of one connection. Not thread-safe: used on the server's I/O thread only.
class FastPathConnection {
 public:
  virtual ~FastPathConnection() = default;

  // Accepts the request at the beginning of `received` and returns its size. `received` is not needed afterwards.
  // Returns 0, without any effect, if the request needs the general path.
  virtual size_t Take(std::string_view received) = 0;
  // Waits until the accepted request is done. The caller must call it directly after Take, without awaiting anything in
  // between.
  virtual boost::asio::awaitable<void> Wait() = 0;
  // Returns the answer. Requires that Wait has returned. The result is valid until the next co_await.
  virtual std::string_view Answer(bool keep_alive) = 0;
};

// Opens the fast paths of a server's connections. Not thread-safe: used on the server's I/O thread only.
class FastPathRoute {
 public:
  virtual ~FastPathRoute() = default;
  // Returns the fast path for a connection of `peer`, whose handlers run on `executor`. It must not outlive the
  // route.
  virtual std::unique_ptr<FastPathConnection> Open(const boost::asio::any_io_executor& executor,
                                                   const boost::asio::ip::address& peer) = 0;
};

}  // namespace viewcount
