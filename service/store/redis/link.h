// One life of a connection: a hiredis context bound to an Asio descriptor. RedisConnection makes a new Link for each
// connect.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "service/base/async_event.h"
#include "service/base/limits.h"
#include "service/base/redis_address.h"
#include "service/store/redis/connection.h"
#include "service/store/redis/reply.h"

struct redisAsyncContext;

namespace viewcount {

// Used by the executor's thread only. Owned by shared pointers. Pending waits on the descriptor hold one, so that
// hiredis may free the context at any time.
class RedisConnection::Link : public std::enable_shared_from_this<Link> {
 public:
  using Done = std::function<void(absl::StatusOr<Reply>)>;

  explicit Link(boost::asio::any_io_executor executor);
  ~Link();

  // Begins to connect. `host` must be an address, not a name. UNAVAILABLE if connecting cannot even begin.
  absl::Status Start(const RedisAddress& address, const std::string& host);
  // Waits until the connection is made, has failed or has timed out.
  boost::asio::awaitable<absl::Status> WaitConnected();
  // Waits until the connection is broken, and returns the reason.
  boost::asio::awaitable<absl::Status> WaitBroken();

  // Waits until limits::kStorePendingCommandsMax leaves room for that many more commands, in the order of the calls.
  // After OK they can be sent, if the caller sends them before it waits for something else. RESOURCE_EXHAUSTED if
  // limits::kStoreWaitingCallsMax calls wait already, or an error if the connection breaks.
  boost::asio::awaitable<absl::Status> WaitForRoom(size_t commands);
  // Sends a command, for which there must be room. `done` is called exactly once, never from within Send.
  void Send(const RedisCommand& command, Done done);
  boost::asio::awaitable<absl::StatusOr<Reply>> Call(const RedisCommand& command);
  // Ends the connection. All pending commands fail with `reason`.
  void Break(absl::Status reason);

 private:
  void Attach();
  void WatchRead();
  void WatchWrite();
  void WatchTimeouts();
  void Detach();
  void Answered(const Done& done, void* reply);
  bool HasRoom(size_t commands) const { return sent_.size() + commands <= limits::kStorePendingCommandsMax; }

  const boost::asio::any_io_executor executor_;
  redisAsyncContext* context_ = nullptr;
  boost::asio::posix::stream_descriptor descriptor_;
  boost::asio::steady_timer timeout_;
  // Coroutines wait on it for a change of state. It never expires, except in WaitConnected.
  boost::asio::steady_timer changed_;
  bool connected_ = false;
  bool want_read_ = false;
  bool want_write_ = false;
  bool reading_ = false;
  bool writing_ = false;
  bool watching_timeouts_ = false;
  absl::Status broken_;
  // When each pending command was sent, oldest first.
  std::deque<std::chrono::steady_clock::time_point> sent_;
  // Calls wait for it in WaitForRoom.
  AsyncEvent room_;
  size_t waiting_calls_ = 0;
  // The encoded form of the last command. It is a member to reuse its memory.
  std::string encoded_;
};

}  // namespace viewcount
