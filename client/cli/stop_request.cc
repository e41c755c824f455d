#include "client/cli/stop_request.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "service/base/check.h"

namespace viewcount::cli {
namespace {

// The pipe to which the handler writes. A handler has no other way to its object.
std::atomic<int> signal_pipe{-1};

void HandleStopSignal(int signal) {
  const int saved = errno;
  const char byte = 1;
  // A full pipe has a byte to read, so nothing is lost if this one does not fit.
  [[maybe_unused]] const ssize_t written = write(signal_pipe, &byte, 1);
  std::signal(signal, SIG_DFL);
  errno = saved;
}

}  // namespace

StopRequest::StopRequest(std::function<void()> on_stop) {
  VIEWCOUNT_CHECK(pipe2(signals_, O_CLOEXEC) == 0 && pipe2(stopped_, O_CLOEXEC) == 0);
  VIEWCOUNT_CHECK(signal_pipe.exchange(signals_[1]) == -1);
  thread_ = std::thread([this, on_stop = std::move(on_stop)] { WatchSignals(on_stop); });
  std::signal(SIGINT, HandleStopSignal);
  std::signal(SIGTERM, HandleStopSignal);
}

StopRequest::~StopRequest() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  signal_pipe = -1;
  // The end of the pipe ends the thread.
  close(signals_[1]);
  thread_.join();
  close(signals_[0]);
  close(stopped_[0]);
  close(stopped_[1]);
}

void StopRequest::WatchSignals(const std::function<void()>& on_stop) {
  for (;;) {
    char byte = 0;
    const ssize_t count = read(signals_[0], &byte, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    if (requested_.exchange(true)) continue;
    VIEWCOUNT_CHECK(write(stopped_[1], &byte, 1) == 1);
    on_stop();
  }
}

bool StopRequest::WaitFor(std::chrono::milliseconds duration) const {
  pollfd stopped{stopped_[0], POLLIN, 0};
  // An interrupted wait is only shorter.
  poll(&stopped, 1, static_cast<int>(duration.count()));
  return requested_;
}

}  // namespace viewcount::cli
