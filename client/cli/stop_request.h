// Waits for the signals that end a command which would otherwise run on: SIGINT and SIGTERM.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace viewcount::cli {

// Catches SIGINT and SIGTERM from its construction to its destruction. A second signal ends the process at once. There
// may be one object at a time.
class StopRequest {
 public:
  // `on_stop` is called once, on a thread of this object, when a signal arrives.
  explicit StopRequest(std::function<void()> on_stop);
  ~StopRequest();
  StopRequest(const StopRequest&) = delete;
  StopRequest& operator=(const StopRequest&) = delete;

  // Thread-safe.
  bool requested() const { return requested_; }
  // Waits for `duration` or until a signal arrives. Returns true after a signal.
  bool WaitFor(std::chrono::milliseconds duration) const;

 private:
  void WatchSignals(const std::function<void()>& on_stop);

  std::atomic<bool> requested_{false};
  // Each is the reading and the writing end of a pipe. The handler of signals writes to the first pipe. The second is
  // readable after a signal, so that WaitFor can wait for it.
  int signals_[2] = {-1, -1};
  int stopped_[2] = {-1, -1};
  std::thread thread_;
};

}  // namespace viewcount::cli
