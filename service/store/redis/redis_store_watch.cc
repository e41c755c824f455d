// Detects changes of a connected Redis: its role, its identity, evictions, its persistence, and lost data.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "service/base/status.h"
#include "service/store/redis/redis_store.h"
#include "service/store/redis/server_look.h"

namespace viewcount {
namespace asio = boost::asio;

asio::awaitable<void> RedisStore::Watch() {
  while (!closed_) {
    look_timer_.expires_after(options_.look_interval);
    boost::system::error_code ignored;
    co_await look_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    // Each connection is examined separately, since a proxy may lead them to different servers.
    if (!closed_) co_await Look(writer_);
    if (!closed_) co_await Look(reader_);
  }
}

asio::awaitable<void> RedisStore::Look(Channel& channel) {
  if (!channel.ready) co_return;
  const uint64_t life = channel.life;
  const auto look = co_await LookAtServer(*channel.connection, options_.waivers);
  if (closed_ || !channel.ready || channel.life != life) co_return;
  // A server that preflight would refuse is no longer used; preflight succeeds again when the cause is fixed. Other
  // errors, such as BUSY, end by themselves or have already broken the connection.
  absl::Status verdict = look.ok() ? look->usable : look.status();
  if (!look.ok() && !IsRefusal(verdict)) co_return;
  if (verdict.ok() && look->run_id != channel.run_id) verdict = AnotherServer();
  if (!verdict.ok()) {
    channel.connection->Reconnect(verdict);
    co_return;
  }
  if (&channel != &writer_) co_return;
  NoteEvicted(look->run_id, look->evicted_keys);
  Warn(look->warning);
  if (look->meta_lost) NoteRollback();
}

void RedisStore::NoteEvicted(const std::string& run_id, uint64_t evicted_keys) {
  const bool same_run = std::exchange(evicted_run_, run_id) == run_id;
  const uint64_t before = std::exchange(evicted_keys_, evicted_keys);
  if (!same_run || evicted_keys <= before) return;
  metrics_.store_evicted_keys.Increment(static_cast<double>(evicted_keys - before));
  spdlog::error("Redis at {} has evicted {} keys: counts may be lost or wrong; find out with: viewcount audit",
                options_.address.ToString(), evicted_keys - before);
}

void RedisStore::Warn(const std::string& warning) {
  if (std::exchange(warning_, warning) != warning && !warning.empty()) spdlog::warn("{}", warning);
}

void RedisStore::NoteRollback() {
  if (closed_ || std::exchange(rechecking_, true)) return;
  asio::co_spawn(executor_, Recheck(), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

asio::awaitable<void> RedisStore::Recheck() {
  const uint64_t life = writer_.life;
  absl::Status status;
  if (writer_.ready) status = co_await Prepare(writer_);
  rechecking_ = false;
  // A connection that was made meanwhile has passed its own preflight.
  if (closed_ || !writer_.ready || writer_.life != life) co_return;
  if (!status.ok()) {
    writer_.connection->Reconnect(status);
    co_return;
  }
  // The new generation makes callers compare salts and cursors again, as after a reconnect.
  ++generation_;
}

void RedisStore::NoteWrite(const absl::Status& status) {
  if (status.ok() && !refuses_writes_) return;
  const std::string reason = ReasonOf(status);
  std::string refused;
  if (reason.starts_with("REDIS_")) {
    const std::string_view explanation = ExplanationOf(reason);
    refused = fmt::format("Redis at {} refuses writes with {}{}{}; its words: {}", options_.address.ToString(),
                          reason.substr(6), explanation.empty() ? "" : ": ", explanation, ToStd(status.message()));
  } else if (!status.ok()) {
    // A connection that broke is reported as a problem, not as a refused write.
    return;
  }
  // Logged once. The caller that writes logs that the refusal continues.
  if (!refused.empty() && !refuses_writes_) spdlog::warn("{}", refused);
  refuses_writes_ = !refused.empty();
  const MutexLock lock(mutex_);
  refused_writes_ = std::move(refused);
}

std::string RedisStore::refused_writes() const {
  const MutexLock lock(mutex_);
  return refused_writes_;
}

}  // namespace viewcount
