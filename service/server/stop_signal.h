// When the process is to end, and with which exit code.
#pragma once

#include <chrono>

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

// Make it first of all, before any thread: it blocks SIGTERM and SIGINT, so that they arrive here only.
class StopSignal {
 public:
  StopSignal();

  // Waits until somebody asks to stop, at most `timeout`. Main thread only.
  bool Wait(std::chrono::milliseconds timeout);
  // Thread safe.
  void Request(ExitCode code);
  // What the first request said; kExitOk for a signal. Main thread, after Wait returned true.
  ExitCode exit_code() const { return exit_code_; }

 private:
  UniqueFd signals_;
  UniqueFd requests_;
  bool stopped_ = false;
  ExitCode exit_code_ = kExitOk;
};

}  // namespace viewcount
