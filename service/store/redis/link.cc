#include "service/store/redis/link.h"

#include <fmt/format.h>
#include <hiredis/async.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <utility>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/store/redis/reply_reader.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

void AppendNumber(char type, size_t number, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  out.push_back(type);
  out.append(digits, end).append("\r\n");
}

// Encodes a command in Redis' protocol, as an array of bulk strings. hiredis' own encoder takes longer, and flushes
// send many short words.
void Encode(const RedisCommand& command, std::string& out) {
  out.clear();
  AppendNumber('*', command.size(), out);
  for (const std::string_view word : command) {
    AppendNumber('$', word.size(), out);
    out.append(word).append("\r\n");
  }
}

}  // namespace

RedisConnection::Link::Link(asio::any_io_executor executor)
    : executor_(executor),
      descriptor_(executor),
      timeout_(executor),
      changed_(executor, steady_clock::time_point::max()),
      room_(executor) {}

RedisConnection::Link::~Link() { Break(absl::CancelledError("connection dropped")); }

absl::Status RedisConnection::Link::Start(const RedisAddress& address, const std::string& host) {
  context_ = address.socket_path.empty() ? redisAsyncConnect(host.c_str(), address.port)
                                         : redisAsyncConnectUnix(address.socket_path.c_str());
  if (context_ == nullptr) return absl::ResourceExhaustedError("no memory for a connection");
  if (context_->err != 0) {
    const auto status = absl::UnavailableError(context_->errstr);
    redisAsyncFree(std::exchange(context_, nullptr));
    return status;
  }
  BuildReplies(*context_->c.reader);
  Attach();
  return absl::OkStatus();
}

void RedisConnection::Link::Attach() {
  descriptor_.assign(context_->c.fd);
  context_->data = this;
  context_->ev.data = this;
  context_->ev.addRead = [](void* self) {
    static_cast<Link*>(self)->want_read_ = true, static_cast<Link*>(self)->WatchRead();
  };
  context_->ev.delRead = [](void* self) { static_cast<Link*>(self)->want_read_ = false; };
  context_->ev.addWrite = [](void* self) {
    static_cast<Link*>(self)->want_write_ = true, static_cast<Link*>(self)->WatchWrite();
  };
  context_->ev.delWrite = [](void* self) { static_cast<Link*>(self)->want_write_ = false; };
  context_->ev.cleanup = [](void* self) { static_cast<Link*>(self)->Detach(); };
  redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* context, int status) {
    auto* self = static_cast<Link*>(context->data);
    if (status == REDIS_OK) {
      self->connected_ = true;
    } else {
      // hiredis frees the context after this callback.
      self->broken_ = absl::UnavailableError(context->errstr);
      self->context_ = nullptr;
    }
    self->changed_.cancel();
  });
  redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* context, int) {
    auto* self = static_cast<Link*>(context->data);
    if (self->broken_.ok()) {
      self->broken_ = absl::UnavailableError(*context->errstr != 0 ? context->errstr : "connection closed");
    }
    self->context_ = nullptr;
    self->changed_.cancel();
  });
}

// Releases the descriptor without closing it, because hiredis owns it.
void RedisConnection::Link::Detach() {
  want_read_ = want_write_ = false;
  if (descriptor_.is_open()) descriptor_.release();
}

void RedisConnection::Link::WatchRead() {
  if (reading_ || !want_read_) return;
  reading_ = true;
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](boost::system::error_code error) {
                           self->reading_ = false;
                           if (error || self->context_ == nullptr || !self->want_read_) return;
                           redisAsyncHandleRead(self->context_);
                           if (self->context_ != nullptr) self->WatchRead();
                         });
}

void RedisConnection::Link::WatchWrite() {
  if (writing_ || !want_write_) return;
  writing_ = true;
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_write,
                         [self = shared_from_this()](boost::system::error_code error) {
                           self->writing_ = false;
                           if (error || self->context_ == nullptr || !self->want_write_) return;
                           redisAsyncHandleWrite(self->context_);
                           if (self->context_ != nullptr) self->WatchWrite();
                         });
}

// One timer serves all commands. Answers come in order, so the oldest command times out first.
void RedisConnection::Link::WatchTimeouts() {
  if (watching_timeouts_ || sent_.empty() || context_ == nullptr) return;
  watching_timeouts_ = true;
  timeout_.expires_at(sent_.front() + limits::kStoreCommandTimeout);
  timeout_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    self->watching_timeouts_ = false;
    if (error || self->sent_.empty()) return;
    if (steady_clock::now() >= self->sent_.front() + limits::kStoreCommandTimeout) {
      self->Break(absl::DeadlineExceededError("Redis did not answer in time; the outcome is unknown"));
    } else {
      self->WatchTimeouts();
    }
  });
}

asio::awaitable<absl::Status> RedisConnection::Link::WaitConnected() {
  auto self = shared_from_this();
  const auto deadline = steady_clock::now() + limits::kStoreConnectTimeout;
  while (!connected_ && broken_.ok()) {
    if (steady_clock::now() >= deadline) co_return absl::UnavailableError("connecting took too long");
    changed_.expires_at(deadline);
    boost::system::error_code ignored;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return broken_;
}

asio::awaitable<absl::Status> RedisConnection::Link::WaitBroken() {
  auto self = shared_from_this();
  while (broken_.ok()) {
    changed_.expires_at(steady_clock::time_point::max());
    boost::system::error_code ignored;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return broken_;
}

void RedisConnection::Link::Answered(const Done& done, void* reply) {
  if (!sent_.empty()) sent_.pop_front();
  room_.NotifyOne();
  absl::StatusOr<Reply> result;
  if (reply != nullptr) {
    result = TakeReply(reply);
  } else if (!broken_.ok()) {
    result = broken_;
  } else {
    result = absl::UnavailableError("the connection to Redis broke; the outcome is unknown");
  }
  // Nothing is done inside hiredis' callback, because the caller may send the next command or drop the connection.
  if (result.ok() && result->kind == Reply::Kind::kError && IsFromWrongServer(result->text)) {
    // Redis keeps connections open when it is demoted. So this connection would never lead to the right server again.
    asio::post(executor_, [weak = weak_from_this(), why = ErrorOfReply(result->text)] {
      if (const auto self = weak.lock()) self->Break(why);
    });
  }
  asio::post(executor_, [done, result = std::move(result)]() mutable { done(std::move(result)); });
}

asio::awaitable<absl::Status> RedisConnection::Link::WaitForRoom(size_t commands) {
  auto self = shared_from_this();
  VIEWCOUNT_CHECK(commands <= limits::kStorePendingCommandsMax);
  if (waiting_calls_ == 0 && HasRoom(commands)) co_return absl::OkStatus();
  if (waiting_calls_ >= limits::kStoreWaitingCallsMax) {
    co_return absl::ResourceExhaustedError("too many calls wait for Redis");
  }
  ++waiting_calls_;
  do {
    co_await room_.Wait();
  } while (broken_.ok() && !HasRoom(commands));
  --waiting_calls_;
  // There may be room for the next one as well.
  room_.NotifyOne();
  co_return broken_;
}

void RedisConnection::Link::Send(const RedisCommand& command, Done done) {
  absl::Status refused;
  if (context_ == nullptr || !broken_.ok()) {
    refused = broken_.ok() ? absl::UnavailableError("not connected to Redis") : broken_;
  }
  if (!refused.ok()) {
    asio::post(executor_, [done = std::move(done), refused] { done(refused); });
    return;
  }
  auto pending = std::make_unique<Done>(std::move(done));
  Encode(command, encoded_);
  const int status = redisAsyncFormattedCommand(
      context_,
      [](redisAsyncContext* context, void* reply, void* data) {
        const std::unique_ptr<Done> answered(static_cast<Done*>(data));
        // The link outlives its context.
        static_cast<Link*>(context->data)->Answered(*answered, reply);
      },
      pending.get(), encoded_.data(), encoded_.size());
  if (status != REDIS_OK) {
    asio::post(executor_,
               [done = std::move(*pending)] { done(absl::UnavailableError("Redis connection is closing")); });
    return;
  }
  pending.release();
  sent_.push_back(steady_clock::now());
  WatchTimeouts();
}

asio::awaitable<absl::StatusOr<Reply>> RedisConnection::Link::Call(const RedisCommand& command) {
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(absl::StatusOr<Reply>)>(
      [this](auto handler, const RedisCommand& words) {
        // std::function requires a copyable callable.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        Send(words, [shared](absl::StatusOr<Reply> reply) { (*shared)(std::move(reply)); });
      },
      asio::use_awaitable, command);
}

void RedisConnection::Link::Break(absl::Status reason) {
  if (broken_.ok()) broken_ = std::move(reason);
  timeout_.cancel();
  changed_.cancel();
  room_.NotifyAll();
  // hiredis calls the callbacks of pending commands without a reply, then `cleanup`.
  if (context_ != nullptr) redisAsyncFree(std::exchange(context_, nullptr));
}

}  // namespace viewcount
