// The signals of the process: when it is to end, with which exit code, and when it is to read its settings again.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "service/base/unique_fd.h"

namespace viewcount {

// What viewcountd exits with; RUNBOOK entries refer to these.
enum ExitCode {
  kExitOk = 0,
  // It could not start, or not go on; the log says why.
  kExitFailed = 1,
  // Flags, environment or file are wrong.
  kExitUsage = 2,
  // It ended as asked, but not all views are in Redis yet: they stay in the journal for the next start.
  kExitUnflushed = 3,
  // Someone else uses this lane: a copied data directory was started twice. Must not be restarted by itself.
  kExitFenced = 4,
};

// Make it first of all, before any thread. It blocks every signal that would end the process and is not a fault of the
// program, so that all of them arrive here only: SIGTERM, SIGINT and SIGQUIT ask to stop, SIGHUP asks to reload, the
// others are ignored with a log line. A signal that somebody else handles, such as a profiler, is left alone. Faults of
// the program still end it, after one line on standard error that names the signal.
class StopSignal {
 public:
  StopSignal();

  // Handles signals until somebody asks to stop, at most for `timeout`; may return earlier. True once a stop was asked
  // for. Main thread only.
  bool Wait(std::chrono::milliseconds timeout);
  // Waits for `time` after a stop was asked for, but not after another request to stop. Main thread only.
  void WaitForAnother(std::chrono::milliseconds time);
  // True if SIGHUP has come since the last call. Main thread only.
  bool TakeReload() { return std::exchange(reload_, false); }
  // Thread safe.
  void Request(ExitCode code);
  // What the first request said; kExitOk for a signal. Main thread, after Wait returned true.
  ExitCode exit_code() const { return exit_code_; }

 private:
  // Waits for one signal or request, at most for `timeout`. True if it asks to stop.
  bool WaitOnce(std::chrono::milliseconds timeout);
  bool HandleSignal(uint32_t number, uint32_t sender);

  UniqueFd signals_;
  UniqueFd requests_;
  // Standard error was a terminal at the start.
  const bool has_terminal_;
  bool stopped_ = false;
  bool reload_ = false;
  ExitCode exit_code_ = kExitOk;
};

}  // namespace viewcount
