// A connection to Redis: hiredis' asynchronous API on Boost.Asio, with time-outs and reconnects.
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

// The words of a command. They must stay valid until Execute has been called, not until the command is answered.
using RedisCommand = std::vector<std::string_view>;

// Keeps a connection to one Redis, and makes a new one whenever it breaks. Used by the executor's only thread. Destroy
// it after Close, and only when no coroutine waits on it any more.
//
// Commands are answered in the order in which they were given. If a command is not answered within
// limits::kStoreCommandTimeout, the connection is dropped. All waiting commands then fail with "outcome unknown", and a
// new connection is made. An error that says that the server is not the master drops the connection as well: see
// IsFromWrongServer. Every new connection resolves the host's name again. It tries the addresses in turn, until one
// passes Events::prepare.
class RedisConnection {
 public:
  struct Events {
    // Runs on a new connection before any other use of it. An error closes the connection again.
    std::function<boost::asio::awaitable<absl::Status>(RedisConnection&)> prepare;
    // `up` is called when the connection is usable; `down` when it is not, with the reason.
    std::function<void()> up;
    std::function<void(const absl::Status&)> down;
  };

  // `resolve` is called at every connect to a host's name. The default is ResolveBySystem.
  RedisConnection(boost::asio::any_io_executor executor, RedisAddress address, Events events,
                  HostResolver resolve = nullptr);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Connects, and reconnects after a jittered delay, until Close.
  void Open();
  // Fails all waiting commands. The connection stays closed.
  void Close();
  // Fails all waiting commands with `why` and connects again. Does nothing while there is no connection.
  void Reconnect(const absl::Status& why);

  // Sends a command and returns its reply, which may be of any kind, kError included. UNAVAILABLE without a connection
  // or when it breaks. DEADLINE_EXCEEDED after the time-out. RESOURCE_EXHAUSTED beyond
  // limits::kStoreWaitingCallsMax. While limits::kStorePendingCommandsMax commands are pending, it waits for its turn.
  // `command` must stay valid until it returns.
  boost::asio::awaitable<absl::StatusOr<Reply>> Execute(const RedisCommand& command);
  // Runs all of `commands` in one MULTI … EXEC and returns EXEC's reply. That is an array with one reply for each
  // command, all of the same moment, or the error with which Redis refused the transaction. Readers use ReadTogether
  // (snapshot.h).
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
  // Shared with pending handlers of a connection that is being dropped.
  std::shared_ptr<Link> link_;
  bool closed_ = false;
  // Close cancels it, to wake Run from its delay.
  std::shared_ptr<boost::asio::steady_timer> delay_;
};

}  // namespace viewcount
