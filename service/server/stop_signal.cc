#include "service/server/stop_signal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

#include "service/base/check.h"
#include "service/base/log_throttle.h"

namespace viewcount {
namespace {

using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::steady_clock;

// All other signals that end the process by default and come from outside.
constexpr std::array kIgnored = {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGXCPU};
constexpr std::array kFaults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};

std::string NameOf(uint32_t number) {
  const char* name = sigabbrev_np(static_cast<int>(number));
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(number);
}

bool IsHandledElsewhere(int number) {
  struct sigaction action {};
  if (sigaction(number, nullptr, &action) != 0) return true;
  return (action.sa_flags & SA_SIGINFO) != 0 || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

// Reports a fault of the program. Async-signal-safe. Does not wait for a reader of standard error.
void ReportFault(int number) {
  pollfd file{STDERR_FILENO, POLLOUT, 0};
  if (poll(&file, 1, 0) == 1) {
    char line[] = "viewcountd: ended by signal 00, a fault of the program; report it\n";
    char* const digits = strstr(line, "00");
    digits[0] = static_cast<char>('0' + number / 10);
    digits[1] = static_cast<char>('0' + number % 10);
    const bool written = write(STDERR_FILENO, line, sizeof(line) - 1) > 0;
    // The result is ignored, since the process ends in any case.
    static_cast<void>(written);
  }
  // SA_RESETHAND has restored the default action. It ends the process as if there had been no handler.
  raise(number);
}

void ReportFaults() {
  for (const int number : kFaults) {
    // Sanitizers have handlers of their own.
    if (IsHandledElsewhere(number)) continue;
    struct sigaction action {};
    action.sa_handler = ReportFault;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    VIEWCOUNT_CHECK(sigaction(number, &action, nullptr) == 0);
  }
}

sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP}) sigaddset(&set, number);
  for (const int number : kIgnored) {
    if (!IsHandledElsewhere(number)) sigaddset(&set, number);
  }
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
    if (!IsHandledElsewhere(number)) sigaddset(&set, number);
  }
  VIEWCOUNT_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  return set;
}

}  // namespace

StopSignal::StopSignal() : has_terminal_(isatty(STDERR_FILENO) == 1) {
  const sigset_t set = BlockSignals();
  // A peer that disconnects is reported as an error of its connection. A file that may not grow is reported as an error
  // of the write.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  ReportFaults();
  signals_ = UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  requests_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  VIEWCOUNT_CHECK(signals_.valid() && requests_.valid());
}

bool StopSignal::Wait(milliseconds timeout) {
  if (!stopped_ && WaitOnce(timeout)) stopped_ = true;
  return stopped_;
}

void StopSignal::WaitForAnother(milliseconds time) {
  const auto end = steady_clock::now() + time;
  for (auto now = steady_clock::now(); now < end; now = steady_clock::now()) {
    if (WaitOnce(std::max(duration_cast<milliseconds>(end - now), milliseconds(1)))) return;
  }
}

bool StopSignal::WaitOnce(milliseconds timeout) {
  std::array<pollfd, 2> files = {{{signals_.get(), POLLIN, 0}, {requests_.get(), POLLIN, 0}}};
  if (poll(files.data(), files.size(), static_cast<int>(timeout.count())) <= 0) return false;
  bool stop = false;
  uint64_t code = 0;
  if (read(requests_.get(), &code, sizeof(code)) == sizeof(code)) {
    exit_code_ = static_cast<ExitCode>(code);
    stop = true;
  }
  signalfd_siginfo info;
  while (!stop && read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    stop = HandleSignal(info.ssi_signo, info.ssi_pid);
  }
  return stop;
}

bool StopSignal::HandleSignal(uint32_t number, uint32_t sender) {
  switch (number) {
    case SIGTERM:
      spdlog::info("stopping: asked to terminate");
      return true;
    case SIGINT:
      spdlog::info("stopping: interrupted");
      return true;
    case SIGQUIT:
      spdlog::info("stopping: asked to quit");
      return true;
    case SIGHUP:
      // SIGHUP is also the signal of a closed terminal. A program in its foreground is expected to end then.
      if (has_terminal_ && isatty(STDERR_FILENO) != 1) {
        spdlog::info("stopping: the terminal was closed");
        return true;
      }
      reload_ = true;
      return false;
    default: {
      static LogThrottle lines;
      if (lines.Take()) spdlog::warn("ignored {}, sent by process {}", NameOf(number), sender);
      return false;
    }
  }
}

void StopSignal::Request(ExitCode code) {
  const uint64_t value = code;
  // An eventfd adds up the values of several requests. So only the first request is written; the others do not matter.
  static std::atomic_flag requested;
  if (requested.test_and_set()) return;
  VIEWCOUNT_CHECK(write(requests_.get(), &value, sizeof(value)) == sizeof(value));
}

}  // namespace viewcount
