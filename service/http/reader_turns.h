// Bounds how many costly questions of readers run at a time, so that they do not slow down the rest of the service.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

namespace viewcount {

// The questions that run at a time at one address. One may read some thousand keys.
inline constexpr size_t kReaderQuestionsMax = 2;
// The questions that wait. A dashboard of Grafana asks one for each panel at once.
inline constexpr size_t kReaderWaitingMax = 64;
inline constexpr std::chrono::seconds kReaderWaitMax{10};
// The time after which a refused reader may ask again.
inline constexpr std::chrono::seconds kReaderRetryAfter{1};

// Used by one server's thread only, and owned by a shared pointer.
class ReaderTurns : public std::enable_shared_from_this<ReaderTurns> {
 public:
  // The right to ask. It ends with the object.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<ReaderTurns> turns) : turns_(std::move(turns)) {}
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_) turns_->Leave();
    }

   private:
    std::shared_ptr<ReaderTurns> turns_;
  };

  // Waits for a turn, in the order of the calls. Returns UNAVAILABLE with RetryInfo if too many wait, or after
  // kReaderWaitMax.
  boost::asio::awaitable<absl::StatusOr<Turn>> Take();

 private:
  // A question that waits. It lives in the frame of its coroutine.
  struct Waiter;

  void Leave();

  size_t running_ = 0;
  std::deque<Waiter*> waiting_;
};

}  // namespace viewcount
