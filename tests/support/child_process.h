// A program that a test runs as a child process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace viewcount {

// Must be used by one thread: the thread that starts the child. That thread must live as long as the child, because the
// kernel kills the child when the thread ends. A test that crashes therefore leaves no process behind.
class ChildProcess {
 public:
  ChildProcess() = default;
  // Sends SIGKILL if the child is still running.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Starts a program. `words[0]` is looked up in PATH. If `log` is given, standard output and standard error are
  // appended to that file.
  void Start(std::vector<std::string> words, const std::string& log = "");
  // Returns the child's process ID, or 0 if no child is running.
  pid_t pid() const { return pid_; }
  // Returns true if the child has ended, and reaps it.
  bool HasEnded();
  // Sends SIGKILL and waits until the child has ended.
  void Kill();
  // Sends `signal` and waits. Returns the exit code, or nothing if the child did not end in time or was killed by a
  // signal.
  std::optional<int> Stop(int signal, std::chrono::milliseconds timeout);

 private:
  pid_t pid_ = 0;
  int status_ = 0;
};

}  // namespace viewcount
