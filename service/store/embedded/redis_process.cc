#include "service/store/embedded/redis_process.h"

#include <absl/status/status.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace viewcount {
namespace {

constexpr std::chrono::milliseconds kPollWithoutPidfd{20};
constexpr int kCannotExecute = 127;
// The first real-time signal is not constant in glibc. The kernel's highest signal number is constant.
constexpr int kSignals = 64;

// All data that the child needs, prepared before fork. After fork only async-signal-safe calls are allowed, because
// another thread may have held malloc's lock.
struct Prepared {
  const char* program;
  char* const* arguments;
  int output_fd;
  int null_fd;
  int inherited_fd;
  pid_t parent;
};

void CloseOthers(unsigned kept) {
  const auto close_span = [](unsigned first, unsigned last) {
    if (first > last || close_range(first, last, 0) == 0) return;
    // Kernels before 5.9 have no close_range. Descriptors of viewcountd are close-on-exec, so this only closes those of
    // libraries that did not set the flag.
    for (unsigned fd = first; fd <= std::min(last, 65'536u); ++fd) close(static_cast<int>(fd));
  };
  close_span(3, kept - 1);
  close_span(kept + 1, ~0u);
}

[[noreturn]] void RunChild(const Prepared& prepared) {
  // Handlers are reset first, and signals are unblocked only later: no handler of the parent may run here.
  for (int number = 1; number <= kSignals; ++number) signal(number, SIG_DFL);
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) _exit(kCannotExecute);
  // The parent may have died before prctl was called.
  if (getppid() != prepared.parent) _exit(0);
  setsid();
  if (dup2(prepared.null_fd, 0) < 0 || dup2(prepared.output_fd, 1) < 0 || dup2(prepared.output_fd, 2) < 0) {
    _exit(kCannotExecute);
  }
  CloseOthers(static_cast<unsigned>(prepared.inherited_fd));
  if (fcntl(prepared.inherited_fd, F_SETFD, 0) != 0) _exit(kCannotExecute);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(prepared.program, prepared.arguments);
  constexpr char kMessage[] = "cannot execute redis-server\n";
  if (write(2, kMessage, sizeof(kMessage) - 1) < 0) _exit(kCannotExecute);
  _exit(kCannotExecute);
}

std::string Describe(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return fmt::format("exited with status {}", info.si_status);
  return fmt::format("was killed by signal {} ({})", info.si_status, strsignal(info.si_status));
}

}  // namespace

absl::StatusOr<std::string> FindRedisServer() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string candidate = folder + "/redis-server";
    if (!folder.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return absl::FailedPreconditionError(
      "redis-server is not installed; install it with: apt-get install redis-server, or use --redis redis://host:port");
}

RedisProcess::RedisProcess(pid_t pid) : pid_(pid), pidfd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}

absl::StatusOr<RedisProcess> RedisProcess::Start(const Command& command) {
  std::vector<std::string> owned = {command.program};
  owned.insert(owned.end(), command.arguments.begin(), command.arguments.end());
  std::vector<char*> arguments;
  for (auto& argument : owned) arguments.push_back(argument.data());
  arguments.push_back(nullptr);

  const UniqueFd null = OpenAboveStandard("/dev/null", O_RDONLY);
  const UniqueFd output = OpenAboveStandard(command.output_path.c_str(), O_WRONLY | O_APPEND | O_CREAT);
  if (!null.valid() || !output.valid()) {
    return absl::UnavailableError(fmt::format("cannot open {}: {}", command.output_path, std::strerror(errno)));
  }
  const Prepared prepared = {command.program.c_str(), arguments.data(), output.get(), null.get(),
                             command.inherited_fd,    getpid()};
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = fork();
  if (pid == 0) RunChild(prepared);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return absl::UnavailableError(fmt::format("cannot fork: {}", std::strerror(error)));
  return RedisProcess(pid);
}

std::optional<std::string> RedisProcess::Wait(int wake_fd, std::chrono::steady_clock::time_point deadline) {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  for (;;) {
    if (auto how = Reap()) return how;
    auto left = duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    left = std::min<milliseconds>(left + milliseconds(1), pidfd_.valid() ? std::chrono::hours(1) : kPollWithoutPidfd);
    // poll() ignores descriptors below zero.
    std::array<pollfd, 2> fds = {{{pidfd_.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}}};
    poll(fds.data(), fds.size(), static_cast<int>(left.count()));
    if (fds[1].revents != 0) return Reap();
  }
}

std::optional<std::string> RedisProcess::Reap() {
  if (reaped_) return "is gone";
  siginfo_t info{};
  if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) != 0) {
    // EINTR cannot happen with WNOHANG. ECHILD means that this process ignores SIGCHLD, so that the kernel has reaped
    // the child.
    reaped_ = true;
    return "ended in an unknown way";
  }
  if (info.si_pid == 0) return std::nullopt;
  reaped_ = true;
  return Describe(info);
}

void RedisProcess::Signal(int signal) const {
  // Until the child is reaped, its process ID cannot belong to another process.
  if (!reaped_) kill(pid_, signal);
}

}  // namespace viewcount
