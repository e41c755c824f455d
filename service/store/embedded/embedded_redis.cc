#include "service/store/embedded/embedded_redis.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "service/base/check.h"
#include "service/store/embedded/restored_dump.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kReadyPoll{10};
constexpr timeval kPingTimeout{1, 0};

// Returns the beginning of the server's answer to an inline command; empty if it does not answer.
std::string Ask(const std::string& path, std::string_view command) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  if (!fd.valid() || path.size() >= sizeof(address.sun_path)) return "";
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPingTimeout, sizeof(kPingTimeout));
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPingTimeout, sizeof(kPingTimeout));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return "";
  if (send(fd.get(), command.data(), command.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(command.size())) return "";
  char answer[64];
  const ssize_t size = recv(fd.get(), answer, sizeof(answer), 0);
  return {answer, size > 0 ? static_cast<size_t>(size) : 0};
}

// Returns whether a server answers PING at `path`. A server that loads its data refuses commands, but it is running.
bool AnswersPing(const std::string& path, bool loaded) {
  const std::string answer = Ask(path, "PING\r\n");
  return answer.starts_with("+PONG") || (!loaded && answer.starts_with("-LOADING"));
}

std::vector<std::string> ArgumentsOf(const RedisDirectory& directory, const std::string& append_fsync) {
  return {"--dir", directory.path(), "--daemonize", "no",
          // No TCP port. The socket's name is relative to --dir, since the whole path may be too long for a socket
          // address.
          "--port", "0", "--unixsocket", "redis.sock", "--unixsocketperm", "600",
          // Counts are never evicted, and the append-only file is the only copy on disk.
          "--maxmemory-policy", "noeviction", "--save", "", "--appendonly", "yes", "--appendfsync", append_fsync,
          "--loglevel", "notice", "--logfile", directory.log_path()};
}

// Waits until `fd` is readable. Returns false if `delay` passed first.
bool WaitReadable(int fd, milliseconds delay) {
  pollfd event{fd, POLLIN, 0};
  const auto deadline = steady_clock::now() + delay;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    const int ready = poll(&event, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0) return false;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedRedis>> EmbeddedRedis::Start(Options options, std::function<void()> on_restart) {
  auto program = FindRedisServer();
  if (!program.ok()) return program.status();
  auto directory = RedisDirectory::Open(options.data_dir, options.lock_wait);
  if (!directory.ok()) return directory.status();
  std::unique_ptr<EmbeddedRedis> redis(
      new EmbeddedRedis(std::move(options), *std::move(directory), *std::move(program), std::move(on_restart)));
  std::promise<absl::Status> first;
  auto started = first.get_future();
  redis->supervisor_ = std::thread(&EmbeddedRedis::Run, redis.get(), std::move(first));
  if (auto status = started.get(); !status.ok()) return status;
  return redis;
}

EmbeddedRedis::EmbeddedRedis(Options options, RedisDirectory directory, std::string program,
                             std::function<void()> on_restart)
    : options_(std::move(options)),
      directory_(std::move(directory)),
      program_(std::move(program)),
      on_restart_(std::move(on_restart)),
      stop_event_(eventfd(0, EFD_CLOEXEC)) {
  VIEWCOUNT_CHECK(stop_event_.valid());
}

EmbeddedRedis::~EmbeddedRedis() { Stop(steady_clock::now() + limits::kEmbeddedStopWait); }

void EmbeddedRedis::Stop(SteadyTime deadline) {
  if (!supervisor_.joinable()) return;
  stop_deadline_ = deadline;
  VIEWCOUNT_CHECK(eventfd_write(stop_event_.get(), 1) == 0);
  supervisor_.join();
}

void EmbeddedRedis::Run(std::promise<absl::Status> first) {
  // Signals are handled by the threads that expect them.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);

  std::optional<RedisProcess> process;
  if (auto status = StartFirst(process); !status.ok()) {
    if (process) {
      // No caller can call Stop yet, so this thread sets the deadline.
      stop_deadline_ = steady_clock::now() + limits::kEmbeddedStopWait;
      EndChild(*process);
    }
    return first.set_value(std::move(status));
  }
  first.set_value(absl::OkStatus());

  milliseconds delay{0};
  for (auto started = steady_clock::now();; started = steady_clock::now()) {
    if (process) {
      const auto how = process->Wait(stop_event_.get(), SteadyTime::max());
      if (!how) return EndChild(*process);
      pid_ = 0;
      process.reset();
      if (steady_clock::now() - started > limits::kEmbeddedStableAfter) delay = milliseconds(0);
      if (end_lines_.Take()) {
        spdlog::error("the embedded redis-server {}; starting it again in={}ms log={}", *how, delay.count(),
                      directory_.log_path());
      }
    }
    if (WaitReadable(stop_event_.get(), delay)) return;
    Restart(process, delay);
    delay = std::clamp(delay * 2, limits::kEmbeddedRestartDelayMin, limits::kEmbeddedRestartDelayMax);
  }
}

absl::Status EmbeddedRedis::StartFirst(std::optional<RedisProcess>& process) {
  const std::string& folder = directory_.path();
  const auto dump = TakeRestoredDump(folder);
  if (!dump.ok()) return dump.status();
  const bool taken = *dump == RestoredDump::kTaken;
  absl::Status ready;
  // A torn append-only file that is not the last one is repaired by a start that fails: see redis/append_only_seal.h.
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto launched = Launch();
    if (!launched.ok()) return launched.status();
    process = *std::move(launched);
    // A snapshot can be judged only after the data is loaded.
    ready = AwaitReady(*process, *dump != RestoredDump::kNone);
    if (!absl::IsAborted(ready)) break;
  }
  // A broken snapshot is detected while it is loaded.
  if (taken && absl::IsAborted(ready)) UndoTakeRestoredDump(folder);
  if (!ready.ok()) return absl::UnavailableError(ready.message());
  if (*dump == RestoredDump::kBeside && Ask(directory_.socket_path(), "DBSIZE\r\n").starts_with(":0\r\n")) {
    return DumpBesideNothing(folder);
  }
  return absl::OkStatus();
}

void EmbeddedRedis::Restart(std::optional<RedisProcess>& process, milliseconds delay) {
  auto launched = Launch();
  if (!launched.ok()) {
    if (failure_lines_.Take()) {
      spdlog::error("cannot start the embedded redis-server, trying again: {} waited={}ms",
                    std::string(launched.status().message()), delay.count());
    }
    return;
  }
  process = *std::move(launched);
  if (start_lines_.Take()) spdlog::warn("started the embedded redis-server again pid={}", process->pid());
  if (on_restart_) on_restart_();
}

absl::StatusOr<RedisProcess> EmbeddedRedis::Launch() {
  directory_.RotateLog();
  auto process = RedisProcess::Start({.program = program_,
                                      .arguments = ArgumentsOf(directory_, options_.append_fsync),
                                      .output_path = directory_.log_path(),
                                      .inherited_fd = directory_.lock_fd()});
  if (process.ok()) {
    directory_.NoteHolders(process->pid());
    pid_ = process->pid();
  }
  return process;
}

absl::Status EmbeddedRedis::AwaitReady(RedisProcess& process, bool loaded) const {
  const auto deadline = steady_clock::now() + options_.ready_wait;
  const std::string path = directory_.socket_path();
  while (!AnswersPing(path, loaded)) {
    std::string problem;
    auto code = absl::StatusCode::kUnavailable;
    if (const auto how = process.Wait(stop_event_.get(), steady_clock::now() + kReadyPoll)) {
      problem = *how;
      code = absl::StatusCode::kAborted;
    } else if (steady_clock::now() >= deadline) {
      if (AnswersPing(path, false)) break;
      problem = fmt::format("did not answer within {} ms", options_.ready_wait.count());
    } else {
      continue;
    }
    return {code, fmt::format("the embedded redis-server {}; the end of its log {}:\n{}", problem,
                              directory_.log_path(), directory_.LogTail())};
  }
  return absl::OkStatus();
}

void EmbeddedRedis::EndChild(RedisProcess& process) {
  constexpr int kNoWake = -1;
  process.Signal(SIGTERM);
  if (!process.Wait(kNoWake, stop_deadline_)) {
    spdlog::warn("the embedded redis-server did not end in time, killing it pid={}", process.pid());
    process.Signal(SIGKILL);
    process.Wait(kNoWake, SteadyTime::max());
  }
  pid_ = 0;
}

}  // namespace viewcount
