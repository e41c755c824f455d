#include "service/store/redis/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <random>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/store/redis/link.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Returns a random delay between half and all of `delay`, so that many instances do not reconnect in step.
std::chrono::milliseconds Jittered(std::chrono::milliseconds delay) {
  static thread_local std::minstd_rand generator{std::random_device{}()};
  return std::chrono::milliseconds(std::uniform_int_distribution<int64_t>(delay.count() / 2, delay.count())(generator));
}

// Returns `status` with `prefix` before its message, and with the same code and details.
absl::Status WithPrefix(const std::string& prefix, const absl::Status& status) {
  absl::Status result(status.code(), prefix + std::string(status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

// Returns the most informative failure: an answer that refuses the client says more than a server that is unreachable.
// `failures` must not be empty.
absl::Status MostTelling(const std::vector<absl::Status>& failures) {
  const auto rank = [](const absl::Status& status) {
    if (absl::IsFailedPrecondition(status) || absl::IsPermissionDenied(status)) return 2;
    return ReasonOf(status).empty() ? 0 : 1;
  };
  return *std::ranges::max_element(failures, {}, rank);
}

}  // namespace

RedisConnection::RedisConnection(asio::any_io_executor executor, RedisAddress address, Events events,
                                 HostResolver resolve)
    : executor_(std::move(executor)),
      address_(std::move(address)),
      events_(std::move(events)),
      resolve_(resolve != nullptr ? std::move(resolve) : HostResolver(ResolveBySystem)) {}

RedisConnection::~RedisConnection() { Close(); }

void RedisConnection::Open() {
  // An exception is passed to the executor. If it were dropped, no coroutine would reconnect any more.
  asio::co_spawn(executor_, Run(), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

void RedisConnection::Close() {
  closed_ = true;
  if (link_ != nullptr) link_->Break(absl::UnavailableError("the connection to Redis was closed"));
  if (delay_ != nullptr) delay_->cancel();
}

void RedisConnection::Reconnect(const absl::Status& why) {
  if (link_ != nullptr) link_->Break(why);
}

asio::awaitable<void> RedisConnection::Run() {
  auto delay = limits::kStoreReconnectDelayMin;
  while (!closed_) {
    absl::Status status = co_await Connect();
    if (closed_) break;
    if (status.ok()) {
      delay = limits::kStoreReconnectDelayMin;
      events_.up();
      auto link = link_;
      status = co_await link->WaitBroken();
      if (closed_) break;
    }
    link_->Break(status);
    events_.down(status);
    delay_ = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, Jittered(delay));
    boost::system::error_code ignored;
    auto timer = delay_;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    delay = std::min(delay * 2, limits::kStoreReconnectDelayMax);
  }
}

asio::awaitable<absl::Status> RedisConnection::Connect() {
  if (!address_.socket_path.empty()) co_return co_await ConnectTo("");
  const auto hosts = co_await resolve_(address_.host, address_.port);
  if (!hosts.ok()) co_return hosts.status();
  std::vector<absl::Status> failures;
  for (const std::string& host : *hosts) {
    if (closed_) co_return absl::CancelledError("closed");
    absl::Status status = co_await ConnectTo(host);
    if (status.ok()) co_return status;
    link_->Break(status);
    failures.push_back(hosts->size() > 1 ? WithPrefix(host + ": ", status) : status);
  }
  co_return MostTelling(failures);
}

asio::awaitable<absl::Status> RedisConnection::ConnectTo(std::string host) {
  link_ = std::make_shared<Link>(executor_);
  auto link = link_;
  if (auto status = link->Start(address_, host); !status.ok()) co_return status;
  if (auto status = co_await link->WaitConnected(); !status.ok()) co_return status;
  if (auto status = co_await Greet(); !status.ok()) co_return status;
  co_return co_await events_.prepare(*this);
}

asio::awaitable<absl::Status> RedisConnection::Greet() {
  const std::string database = std::to_string(address_.database);
  if (!address_.password.empty()) {
    RedisCommand auth = {"AUTH", address_.password};
    if (!address_.user.empty()) auth.insert(auth.begin() + 1, address_.user);
    const auto reply = co_await Execute(auth);
    if (!reply.ok()) co_return reply.status();
    // A server without a password answers AUTH with a plain ERR.
    if (reply->kind == Reply::Kind::kError) {
      co_return absl::PermissionDeniedError(fmt::format(
          "Redis refuses the user or password; give the right ones as --redis redis://USER:PASSWORD@host:port: {}",
          reply->text));
    }
  }
  if (address_.database != 0) {
    const RedisCommand select = {"SELECT", database};
    const auto reply = co_await Execute(select);
    if (!reply.ok()) co_return reply.status();
    if (reply->kind == Reply::Kind::kError) {
      co_return absl::FailedPreconditionError(fmt::format("Redis has no database {}: {}", database, reply->text));
    }
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<Reply>> RedisConnection::Execute(const RedisCommand& command) {
  auto link = link_;
  if (link == nullptr) co_return absl::UnavailableError("not connected to Redis");
  if (auto status = co_await link->WaitForRoom(1); !status.ok()) co_return status;
  co_return co_await link->Call(command);
}

asio::awaitable<absl::StatusOr<Reply>> RedisConnection::Transact(const std::vector<RedisCommand>& commands) {
  auto link = link_;
  if (link == nullptr) co_return absl::UnavailableError("not connected to Redis");
  // Either all commands are sent or none. After a MULTI without its EXEC, Redis would queue later commands in the
  // transaction.
  if (auto status = co_await link->WaitForRoom(commands.size() + 2); !status.ok()) co_return status;
  // No other command can come between: all of them are sent before other code runs on this thread.
  const auto ignore = [](const absl::StatusOr<Reply>&) {};
  const RedisCommand multi = {"MULTI"};
  const RedisCommand exec = {"EXEC"};
  link->Send(multi, ignore);
  for (const RedisCommand& command : commands) link->Send(command, ignore);
  co_return co_await link->Call(exec);
}

}  // namespace viewcount
