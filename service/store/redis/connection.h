// One connection to Redis: hiredis' asynchronous API on Boost.Asio, with time-outs and reconnects of its own.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/redis_address.h"
#include "service/store/redis/host_resolver.h"
#include "service/store/redis/reply.h"

namespace viewcount {

// A command's words; they must live until Execute was called, not until it answers.
using RedisCommand = std::vector<std::string_view>;

// All functions on the executor's thread (one). Destroy it after Close and when no coroutine waits on it any more.
//
// Commands are answered in the order they were given. One that is not answered within limits::kStoreCommandTimeout
// costs the connection: what waits on it fails with "outcome unknown", and a new connection is made. An error that
// says that the server is no master (any more) costs it as well: see IsFromWrongServer. Every new connection resolves
// the host's name again and tries its addresses in turn, until one passes Events::prepare.
class RedisConnection {
 public:
  struct Events {
    // Runs on a fresh connection before anyone else may use it; an error closes it again.
    std::function<boost::asio::awaitable<absl::Status>(RedisConnection&)> prepare;
    // The connection is usable; or it is not, and why.
    std::function<void()> up;
    std::function<void(const absl::Status&)> down;
  };

  // `resolve` is asked at every connect to a host's name; none means ResolveBySystem.
  RedisConnection(boost::asio::any_io_executor executor, RedisAddress address, Events events,
                  HostResolver resolve = nullptr);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Connects and keeps connecting, with jittered delays, until Close.
  void Open();
  // Fails what waits and stays closed.
  void Close();
  // Fails what waits with `why` and connects again. Does nothing while there is no connection.
  void Reconnect(const absl::Status& why);

  // The reply (of any kind, kError too), UNAVAILABLE without a connection or when it broke, DEADLINE_EXCEEDED after the
  // time-out; RESOURCE_EXHAUSTED beyond limits::kStorePendingCommandsMax.
  boost::asio::awaitable<absl::StatusOr<Reply>> Execute(const RedisCommand& command);
  // All of `commands` in one MULTI … EXEC, and EXEC's reply: an array with one reply for each, of the same moment, or
  // the error with which Redis refused the transaction. Readers use ReadTogether (snapshot.h).
  boost::asio::awaitable<absl::StatusOr<Reply>> Transact(const std::vector<RedisCommand>& commands);

 private:
  class Link;

  boost::asio::awaitable<void> Run();
  boost::asio::awaitable<absl::Status> Connect();
  // `host` is an address, or empty for a UNIX socket.
  boost::asio::awaitable<absl::Status> ConnectTo(std::string host);
  boost::asio::awaitable<absl::Status> Greet();

  const boost::asio::any_io_executor executor_;
  const RedisAddress address_;
  const Events events_;
  const HostResolver resolve_;
  // Shared with handlers of a connection that is going away.
  std::shared_ptr<Link> link_;
  bool closed_ = false;
  // Wakes Run from its delay at Close.
  std::shared_ptr<boost::asio::steady_timer> delay_;
};

}  // namespace viewcount
