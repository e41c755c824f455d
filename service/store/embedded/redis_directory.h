// The directory of the embedded redis-server: its files, and the lock that keeps a second server out.
//
//   LOCK            flock'ed for as long as this process or the redis-server it started lives; names both
//   redis.sock      where the server listens
//   redis.log       its log, at most about limits::kEmbeddedLogBytesMax; the one before is redis.log.1
//   appendonlydir/  the data, written by Redis
//   dump.rdb        only if somebody restored it: see restored_dump.h
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <string>

#include "service/base/unique_fd.h"

namespace viewcount {

// Not thread safe; movable. Releases this process' share of the lock when it goes.
class RedisDirectory {
 public:
  // Makes <data_dir>/redis (mode 0700) and takes its lock, waiting up to `lock_wait` for a server that is still ending:
  // after a kill -9 of this program the one before may be. Errors: PERMISSION_DENIED or FAILED_PRECONDITION for a
  // directory that cannot be used, ALREADY_EXISTS when the lock stays held; the message says what to do.
  static absl::StatusOr<RedisDirectory> Open(const std::string& data_dir, std::chrono::milliseconds lock_wait);

  // Absolute.
  const std::string& path() const { return path_; }
  std::string log_path() const { return path_ + "/redis.log"; }
  // How this process reaches the socket. A path longer than a socket address can hold (107 bytes) is replaced by one
  // through /proc/self/fd, which is valid in this process and while this object lives, and leaves nothing behind.
  std::string socket_path() const;
  // To be inherited by the server, so that the lock lasts as long as it does.
  int lock_fd() const { return lock_.get(); }

  // Writes into LOCK who holds it, for the message that someone else gets.
  void NoteHolders(pid_t server) const;
  // Moves a log that has grown too large out of the way. Call while no server runs.
  void RotateLog() const;
  // The last lines of the log, at most 2 KiB, for an error message.
  std::string LogTail() const;

 private:
  RedisDirectory(std::string path, UniqueFd directory, UniqueFd lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd directory_;
  UniqueFd lock_;
};

}  // namespace viewcount
