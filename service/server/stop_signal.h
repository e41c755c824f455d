// Handles the signals of the process: requests to stop, with an exit code, and requests to read the settings again.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "service/base/unique_fd.h"

namespace viewcount {

// The exit codes of viewcountd. The RUNBOOK refers to them.
enum ExitCode {
  kExitOk = 0,
  // It could not start, or could not continue. The log states the reason.
  kExitFailed = 1,
  // The flags, the environment or the configuration file are wrong.
  kExitUsage = 2,
  // It ended as requested, but not all views are in Redis yet. They stay in the journal for the next start.
  kExitUnflushed = 3,
  // Another process uses this lane, because a copied data directory was started twice. Or the journal is an older copy,
  // and views were taken before that was known. A supervisor must not restart it automatically.
  kExitFenced = 4,
};

// Receives the signals of the process. Create it before any thread. It blocks every signal that would end the process
// and is not a fault of the program, so that all of them arrive here only.
//
// SIGTERM, SIGINT and SIGQUIT request a stop, and SIGHUP requests a reload. The others are ignored with a log line. A
// signal that already has a handler, such as that of a profiler, is left alone. Faults of the program still end it,
// after one line on standard error that names the signal.
class StopSignal {
 public:
  StopSignal();

  // Handles signals until a stop is requested, for at most `timeout`. It may return earlier. Returns true after a stop
  // was requested. Main thread only.
  bool Wait(std::chrono::milliseconds timeout);
  // Waits for `time` after a stop was requested. Another request to stop ends the wait. Main thread only.
  void WaitForAnother(std::chrono::milliseconds time);
  // Returns true if SIGHUP was received since the last call. Main thread only.
  bool TakeReload() { return std::exchange(reload_, false); }
  // Requests a stop with an exit code. Only the first request counts. Thread-safe.
  void Request(ExitCode code);
  // Returns the code of the first request, or kExitOk after a signal. Main thread only, after Wait has returned true.
  ExitCode exit_code() const { return exit_code_; }

 private:
  // Waits for one signal or request, for at most `timeout`. Returns true if it requests a stop.
  bool WaitOnce(std::chrono::milliseconds timeout);
  bool HandleSignal(uint32_t number, uint32_t sender);

  UniqueFd signals_;
  UniqueFd requests_;
  // True if standard error was a terminal at the start.
  const bool has_terminal_;
  bool stopped_ = false;
  bool reload_ = false;
  ExitCode exit_code_ = kExitOk;
};

}  // namespace viewcount
