#include "service/server/stop_signal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "service/base/check.h"

namespace viewcount {

StopSignal::StopSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  VIEWCOUNT_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  // A peer that hangs up is an error of its connection, not the end of the process.
  signal(SIGPIPE, SIG_IGN);
  signals_ = UniqueFd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  requests_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  VIEWCOUNT_CHECK(signals_.valid() && requests_.valid());
}

bool StopSignal::Wait(std::chrono::milliseconds timeout) {
  if (stopped_) return true;
  std::array<pollfd, 2> files = {{{signals_.get(), POLLIN, 0}, {requests_.get(), POLLIN, 0}}};
  if (poll(files.data(), files.size(), static_cast<int>(timeout.count())) <= 0) return false;
  uint64_t code = 0;
  if (read(requests_.get(), &code, sizeof(code)) == sizeof(code)) {
    exit_code_ = static_cast<ExitCode>(code);
    stopped_ = true;
  }
  signalfd_siginfo info;
  if (read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    spdlog::info("stopping: {}", info.ssi_signo == SIGINT ? "interrupted" : "asked to terminate");
    stopped_ = true;
  }
  return stopped_;
}

void StopSignal::Request(ExitCode code) {
  const uint64_t value = code;
  // Several requests would add up; the first one wins and the rest do not matter.
  static std::atomic_flag requested;
  if (requested.test_and_set()) return;
  VIEWCOUNT_CHECK(write(requests_.get(), &value, sizeof(value)) == sizeof(value));
}

}  // namespace viewcount
