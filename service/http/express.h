// A short way for the commonest request: from a connection's bytes to those of the answer.
//
// It takes only what the general way would take alike, and leaves everything else to it: errors, rare fields, requests
// that are not there as a whole. So the general way alone says what HTTP is here.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <memory>
#include <string_view>

namespace viewcount {

// One connection's. On the server's I/O thread only.
class ExpressConnection {
 public:
  virtual ~ExpressConnection() = default;

  // Takes the request that `received` begins with, and returns its size; `received` is not needed afterwards. 0 if it
  // is one for the general way: then nothing was done.
  virtual size_t Take(std::string_view received) = 0;
  // Waits until what was taken is done. Must follow Take without anything waited for in between.
  virtual boost::asio::awaitable<void> Wait() = 0;
  // After Wait: the answer, which is valid until somebody waits.
  virtual std::string_view Answer(bool keep_alive) = 0;
};

class ExpressRoute {
 public:
  virtual ~ExpressRoute() = default;
  // For a connection of `peer` whose handlers run on `executor`. It must not outlive the route.
  virtual std::unique_ptr<ExpressConnection> Open(const boost::asio::any_io_executor& executor,
                                                  const boost::asio::ip::address& peer) = 0;
};

}  // namespace viewcount
