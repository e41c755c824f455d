// Runs a private redis-server for `--redis embedded`, exactly as long as this process lives.
//
// A separate thread starts the server, waits for its end and starts it again. The kernel signals that thread's end to
// the server (PR_SET_PDEATHSIG). So even a kill -9 of this process leaves no server running. The server's data is an
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

// Owns the server and the thread that supervises it. Not thread-safe, except for pid() and socket_path().
class EmbeddedRedis {
 public:
  struct Options {
    std::string data_dir;
    // "everysec": a crash of the machine costs Redis the last second or two, which the flusher's cursors detect.
    // "always": it costs nothing, but every flushed part requires one disk sync.
    std::string append_fsync = "everysec";
    std::chrono::milliseconds lock_wait = limits::kEmbeddedLockWait;
    std::chrono::milliseconds ready_wait = limits::kEmbeddedReadyWait;
  };

  // Returns when the server answers, even if it still loads its data. Blocks for up to lock_wait + ready_wait.
  // `on_restart` may be empty. The supervising thread calls it each time it has started a dead server again. It must
  // not call Stop. Errors, each with the next step in its message: FAILED_PRECONDITION if redis-server is not
  // installed, or if the directory or a snapshot restored into it cannot be used. PERMISSION_DENIED. ALREADY_EXISTS if
  // another server uses the directory. UNAVAILABLE, with the end of the server's log, if the server does not start.
  static absl::StatusOr<std::unique_ptr<EmbeddedRedis>> Start(Options options, std::function<void()> on_restart);

  // Stops the server as Stop() does, with a deadline of limits::kEmbeddedStopWait from now.
  ~EmbeddedRedis();
  EmbeddedRedis(const EmbeddedRedis&) = delete;
  EmbeddedRedis& operator=(const EmbeddedRedis&) = delete;

  // The UNIX socket. It stays the same over all restarts. Use it in this process only, see RedisDirectory::socket_path.
  std::string socket_path() const { return directory_.socket_path(); }
  // Thread-safe. The process ID of the running server; 0 between its end and the restart.
  pid_t pid() const { return pid_.load(); }
  // Asks the server to write all data to disk and end, and kills it at `deadline`. Returns when the server has ended.
  // Must be called from one thread only. A second call does nothing.
  void Stop(SteadyTime deadline);

 private:
  EmbeddedRedis(Options options, RedisDirectory directory, std::string program, std::function<void()> on_restart);

  // The body of the supervising thread. Sets `first` when the first server answers or has failed to start.
  void Run(std::promise<absl::Status> first);
  // Starts a server. If `pid_` is not 0 afterwards, the server runs.
  absl::StatusOr<RedisProcess> Launch();
  // Waits until the server answers. With `loaded`, also waits until it has loaded its data, but accepts at the time
  // limit that it still loads. ABORTED if the server ended instead, UNAVAILABLE if it took too long.
  absl::Status AwaitReady(RedisProcess& process, bool loaded) const;
  // Makes the first start. `process` may be set even after an error.
  absl::Status StartFirst(std::optional<RedisProcess>& process);
  void Restart(std::optional<RedisProcess>& process, std::chrono::milliseconds delay);
  void EndChild(RedisProcess& process);

  const Options options_;
  const RedisDirectory directory_;
  const std::string program_;
  const std::function<void()> on_restart_;
  std::atomic<pid_t> pid_{0};
  // Readable after Stop was called. stop_deadline_ is written before that.
  UniqueFd stop_event_;
  SteadyTime stop_deadline_{};
  LogThrottle end_lines_;
  LogThrottle start_lines_;
  LogThrottle failure_lines_;
  std::thread supervisor_;
};

}  // namespace viewcount
