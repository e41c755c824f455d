// Lets requests for the same thing share one read, uses its result for a while, and limits how many are read at once.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "service/base/async_event.h"
#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {

struct SharedReadLimits {
  // How long a result is used after its read began.
  std::chrono::nanoseconds age_max;
  // The number of results that are kept. Further ones are read for each request.
  size_t kept_max = 0;
  // The number of reads at the same time, and of those that wait for that. Further requests are refused.
  size_t running_max = 0;
  size_t waiting_max = 0;
  // True if a request never shares a read that began before the request. Then results are not kept.
  bool fresh = false;
};

// Used on one executor only. `clock` must outlive it.
template <typename Key, typename Value>
class SharedReads {
 public:
  using Result = absl::StatusOr<Value>;

  SharedReads(const Clock& clock, const SharedReadLimits& limits) : clock_(clock), limits_(limits) {}

  // Returns what `read` returns, or returned for an equal key not too long ago. Errors are not kept. RESOURCE_EXHAUSTED
  // with RetryInfo if too many reads wait. Name the arguments: g++ 12 destroys temporaries of a co_await expression
  // twice.
  boost::asio::awaitable<Result> Read(const Key& key, const std::function<boost::asio::awaitable<Result>()>& read) {
    const SteadyTime now = clock_.Now();
    if (const auto found = flights_.find(key); found != flights_.end()) {
      const std::shared_ptr<Flight> flight = found->second;
      if (!flight->result || flight->begun_at >= now - limits_.age_max) {
        while (!flight->result) co_await flight->landed.Wait();
        co_return *flight->result;
      }
    }
    const auto executor = co_await boost::asio::this_coro::executor;
    if (ended_ == nullptr) ended_ = std::make_unique<AsyncEvent>(executor);
    if (running_ >= limits_.running_max && waiting_ >= limits_.waiting_max) {
      co_return RetryLater(absl::StatusCode::kResourceExhausted, "too many such lists are being read",
                           limits::kRetryDelay);
    }
    std::erase_if(flights_,
                  [&](const auto& one) { return one.second->result && one.second->begun_at < now - limits_.age_max; });
    const auto flight = std::make_shared<Flight>(executor);
    if (flights_.size() >= limits_.kept_max) DropOldest();
    if (flights_.size() < limits_.kept_max) flights_[key] = flight;
    ++waiting_;
    while (running_ >= limits_.running_max) co_await ended_->Wait();
    --waiting_;
    ++running_;
    flight->begun_at = clock_.Now();
    if (limits_.fresh) Drop(key, flight);
    std::exception_ptr thrown;
    try {
      flight->result = co_await read();
    } catch (...) {
      thrown = std::current_exception();
      flight->result = absl::InternalError("the read failed");
    }
    --running_;
    ended_->NotifyOne();
    if (!flight->result->ok()) Drop(key, flight);
    flight->landed.NotifyAll();
    if (thrown) std::rethrow_exception(thrown);
    co_return *flight->result;
  }

 private:
  // A read that is under way, or its result.
  struct Flight {
    explicit Flight(const boost::asio::any_io_executor& executor) : landed(executor) {}
    AsyncEvent landed;
    std::optional<Result> result;
    SteadyTime begun_at;
  };

  // Lets no later request share a flight.
  void Drop(const Key& key, const std::shared_ptr<Flight>& flight) {
    const auto kept = flights_.find(key);
    if (kept != flights_.end() && kept->second == flight) flights_.erase(kept);
  }
  // Makes room for a newer result.
  void DropOldest() {
    auto oldest = flights_.end();
    for (auto at = flights_.begin(); at != flights_.end(); ++at) {
      if (!at->second->result) continue;
      if (oldest == flights_.end() || at->second->begun_at < oldest->second->begun_at) oldest = at;
    }
    if (oldest != flights_.end()) flights_.erase(oldest);
  }

  const Clock& clock_;
  const SharedReadLimits limits_;
  std::map<Key, std::shared_ptr<Flight>> flights_;
  std::unique_ptr<AsyncEvent> ended_;
  size_t running_ = 0;
  size_t waiting_ = 0;
};

}  // namespace viewcount
