// A program that a test runs beside itself.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace viewcount {

// One thread: the one that starts it, which must live as long (the kernel kills the child when that thread ends, so
// that a test that crashes leaves nothing behind).
class ChildProcess {
 public:
  ChildProcess() = default;
  // SIGKILL, if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // `words[0]` is looked up in PATH. With `log`, standard output and error are appended to that file.
  void Start(std::vector<std::string> words, const std::string& log = "");
  // 0 when none runs.
  pid_t pid() const { return pid_; }
  // True once it has ended by itself.
  bool HasEnded();
  // SIGKILL, and waits for its end.
  void Kill();
  // Sends `signal` and waits; the exit code, or nothing if it did not end in time or was killed by a signal.
  std::optional<int> Stop(int signal, std::chrono::milliseconds timeout);

 private:
  pid_t pid_ = 0;
  int status_ = 0;
};

}  // namespace viewcount
