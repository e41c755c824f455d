// Runs one redis-server as a child process: starts it, waits for it, and describes how it ended.
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "service/base/unique_fd.h"

namespace viewcount {

// Returns the full path of redis-server, found in $PATH. FAILED_PRECONDITION, naming the package, if it is not
// installed.
absl::StatusOr<std::string> FindRedisServer();

// A child process that runs, or that has ended and was not reaped yet. All calls must come from the thread that started
// it. The destructor does not end the child.
class RedisProcess {
 public:
  struct Command {
    std::string program;
    std::vector<std::string> arguments;
    // The file to which standard output and error are appended.
    std::string output_path;
    // Stays open in the child. Every other descriptor is closed.
    int inherited_fd = -1;
  };

  // Starts a child. The child gets SIGTERM when the calling THREAD ends, however it ends. The child leads its own
  // session, so that a Ctrl-C for the parent does not reach it. UNAVAILABLE if the system cannot start a process now.
  static absl::StatusOr<RedisProcess> Start(const Command& command);

  pid_t pid() const { return pid_; }
  // Waits until the child ends, `wake_fd` becomes readable, or `deadline` passes, whichever comes first. If the child
  // has ended, reaps it and returns how it ended: "exited with status 1", "was killed by signal 9 (Killed)".
  std::optional<std::string> Wait(int wake_fd, std::chrono::steady_clock::time_point deadline);
  // Sends a signal. Does nothing to a child that was reaped.
  void Signal(int signal) const;

 private:
  explicit RedisProcess(pid_t pid);
  std::optional<std::string> Reap();

  pid_t pid_;
  bool reaped_ = false;
  // Invalid where the kernel or a sandbox has no pidfd_open. Wait polls then.
  UniqueFd pidfd_;
};

}  // namespace viewcount
