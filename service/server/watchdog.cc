#include "service/server/watchdog.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <utility>

namespace viewcount {

void Watchdog::Watch(std::string name, std::function<uint64_t()> steps) {
  watched_.push_back({.name = std::move(name), .steps = std::move(steps)});
}

void Watchdog::Watch(std::string name, boost::asio::any_io_executor executor) {
  // The number is odd while a posted task has not run. The task may outlive the watchdog in the executor's queue.
  const auto steps = std::make_shared<std::atomic<uint64_t>>(0);
  Watch(std::move(name), [steps, executor = std::move(executor)] {
    const uint64_t now = steps->load();
    if (now % 2 == 1) return now;
    steps->store(now + 1);
    boost::asio::post(executor, [steps] { steps->fetch_add(1); });
    return now + 1;
  });
}

void Watchdog::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Watchdog::Stop() {
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  const MutexLock lock(mutex_);
  stuck_.reset();
}

std::optional<std::string> Watchdog::stuck() const {
  const MutexLock lock(mutex_);
  return stuck_;
}

void Watchdog::Run() {
  MutexLock lock(mutex_);
  while (!stopped_) {
    lock.Unlock();
    Look();
    const auto next = std::chrono::steady_clock::now() + options_.interval;
    lock.Lock();
    while (!stopped_) {
      if (!lock.WaitUntil(wake_, next)) break;
    }
  }
}

void Watchdog::Look() {
  std::string stuck;
  for (Watched& thread : watched_) {
    const uint64_t steps = thread.steps();
    const bool moved = steps != std::exchange(thread.last, steps);
    thread.looks_without_move = moved || steps % 2 == 0 ? 0 : thread.looks_without_move + 1;
    if (thread.looks_without_move < options_.looks) continue;
    const auto time = thread.looks_without_move * options_.interval;
    stuck += fmt::format("{}{} has not moved for {} s", stuck.empty() ? "" : ", ", thread.name,
                         std::chrono::duration_cast<std::chrono::seconds>(time).count());
  }
  if (!stuck.empty() && lines_.Take()) spdlog::error("a thread is stuck: {}", stuck);
  if (stuck.empty() && lines_.Reset()) spdlog::info("all threads move again");
  const MutexLock lock(mutex_);
  stuck_ = stuck.empty() ? std::nullopt : std::optional(std::move(stuck));
}

}  // namespace viewcount
