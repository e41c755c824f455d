// One redis-server as a child process: started, waited for, described when it is gone.
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "service/base/unique_fd.h"

namespace viewcount {

// The full path of `program` in $PATH; FAILED_PRECONDITION naming the package when redis-server is not installed.
absl::StatusOr<std::string> FindRedisServer();

// A running child, or one not yet reaped. All calls must come from the thread that started it. Ends nothing when
// destroyed.
class RedisProcess {
 public:
  struct Command {
    std::string program;
    std::vector<std::string> arguments;
    // Standard output and error are appended there.
    std::string output_path;
    // Kept open in the child; every other descriptor is closed.
    int inherited_fd = -1;
  };

  // The child gets SIGTERM when the calling THREAD ends, however it ends; it leads a session of its own, so that a
  // Ctrl-C meant for the parent does not reach it. UNAVAILABLE when the system cannot start a process now.
  static absl::StatusOr<RedisProcess> Start(const Command& command);

  pid_t pid() const { return pid_; }
  // Waits until the child ends, `wake_fd` becomes readable, or `deadline`, whatever comes first. When the child has
  // ended it is reaped, and the answer says how: "exited with status 1", "was killed by signal 9 (Killed)".
  std::optional<std::string> Wait(int wake_fd, std::chrono::steady_clock::time_point deadline);
  // Does nothing to a child that was reaped.
  void Signal(int signal) const;

 private:
  explicit RedisProcess(pid_t pid);
  std::optional<std::string> Reap();

  pid_t pid_;
  bool reaped_ = false;
  // Invalid where the kernel or a sandbox has no pidfd_open: then Wait polls.
  UniqueFd pidfd_;
};

}  // namespace viewcount
