// A private redis-server for `--redis embedded`, kept alive for as long as this process lives and no longer.
//
// A thread of its own starts the server, waits for its death and starts it again. The server is told of that thread's
// end by the kernel (PR_SET_PDEATHSIG), so that not even a kill -9 of this process leaves it behind. Its data is an
// append-only file in <data_dir>/redis; see redis_directory.h for the files.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "service/base/clock.h"
#include "service/base/limits.h"
#include "service/base/log_throttle.h"
#include "service/base/unique_fd.h"
#include "service/store/embedded/redis_directory.h"
#include "service/store/embedded/redis_process.h"

namespace viewcount {

class EmbeddedRedis {
 public:
  struct Options {
    std::string data_dir;
    // "everysec": a crash of the machine costs Redis its last second or two, which the flusher's cursors detect.
    // "always": nothing, at the price of one disk sync per flushed part.
    std::string append_fsync = "everysec";
    std::chrono::milliseconds lock_wait = limits::kEmbeddedLockWait;
    std::chrono::milliseconds ready_wait = limits::kEmbeddedReadyWait;
  };

  // Returns once the server answers (also if it still loads its data). Blocks up to lock_wait + ready_wait.
  // `on_restart` is called from the supervising thread each time a dead server was started again; it must not call
  // Stop. May be empty.
  // Errors, each with the next step in its message: FAILED_PRECONDITION when redis-server is not installed or
  // the directory or a snapshot restored into it cannot be used, PERMISSION_DENIED, ALREADY_EXISTS when another server
  // uses the directory, UNAVAILABLE with the server's last words when it does not come up.
  static absl::StatusOr<std::unique_ptr<EmbeddedRedis>> Start(Options options, std::function<void()> on_restart);

  // Stops as by Stop() with limits::kEmbeddedStopWait from now.
  ~EmbeddedRedis();
  EmbeddedRedis(const EmbeddedRedis&) = delete;
  EmbeddedRedis& operator=(const EmbeddedRedis&) = delete;

  // The UNIX socket; the same over all restarts. To be used in this process only, see RedisDirectory::socket_path.
  std::string socket_path() const { return directory_.socket_path(); }
  // The running server; 0 between a death and the restart. Thread safe.
  pid_t pid() const { return pid_.load(); }
  // Asks the server to write everything down and end, kills it at `deadline`, returns when it is gone. Call from one
  // thread; a second call does nothing.
  void Stop(SteadyTime deadline);

 private:
  EmbeddedRedis(Options options, RedisDirectory directory, std::string program, std::function<void()> on_restart);

  // The supervising thread. `first` is told of the first start once it answers or has failed.
  void Run(std::promise<absl::Status> first);
  // Starts a server; if `pid_` is not 0 afterwards it runs.
  absl::StatusOr<RedisProcess> Launch();
  // Until the server answers, `loaded`: and has loaded its data, as far as it does so in time; ABORTED if it ended
  // instead, UNAVAILABLE if it took too long.
  absl::Status AwaitReady(RedisProcess& process, bool loaded) const;
  // The first start; `process` may be there after an error, too.
  absl::Status StartFirst(std::optional<RedisProcess>& process);
  void Restart(std::optional<RedisProcess>& process, std::chrono::milliseconds delay);
  void EndChild(RedisProcess& process);

  const Options options_;
  const RedisDirectory directory_;
  const std::string program_;
  const std::function<void()> on_restart_;
  std::atomic<pid_t> pid_{0};
  // Readable once Stop was called; stop_deadline_ is written before.
  UniqueFd stop_event_;
  SteadyTime stop_deadline_{};
  LogThrottle end_lines_;
  LogThrottle start_lines_;
  LogThrottle failure_lines_;
  std::thread supervisor_;
};

}  // namespace viewcount
