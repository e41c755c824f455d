// The directory of the embedded redis-server: its files, and the lock that keeps a second server out.
//
//   LOCK            flock'ed as long as this process, or the redis-server it started, lives; names both
//   redis.sock      the socket on which the server listens
//   redis.log       the server's log, at most about limits::kEmbeddedLogBytesMax; the previous one is redis.log.1
//   appendonlydir/  the data, written by Redis
//   dump.rdb        only if an operator restored it: see restored_dump.h
#pragma once

#include <absl/status/statusor.h>
#include <sys/types.h>

#include <chrono>
#include <string>

#include "service/base/unique_fd.h"

namespace viewcount {

// Not thread-safe. Movable. Its destructor releases this process' share of the lock.
class RedisDirectory {
 public:
  // Makes <data_dir>/redis (mode 0700) and takes its lock. Waits up to `lock_wait` for a server that is still ending.
  // That is possible after a kill -9 of this program. Errors: PERMISSION_DENIED or FAILED_PRECONDITION for a directory
  // that cannot be used, ALREADY_EXISTS if the lock stays held. The message says what to do.
  static absl::StatusOr<RedisDirectory> Open(const std::string& data_dir, std::chrono::milliseconds lock_wait);

  // An absolute path.
  const std::string& path() const { return path_; }
  std::string log_path() const { return path_ + "/redis.log"; }
  // The path by which this process reaches the socket. A socket address can hold only 107 bytes. A longer path is
  // replaced by one through /proc/self/fd. That path is valid only in this process and while this object lives. It
  // leaves no file.
  std::string socket_path() const;
  // The server inherits this descriptor, so that the lock lasts as long as the server.
  int lock_fd() const { return lock_.get(); }

  // Writes into LOCK which processes hold it, for the message that another process reports.
  void NoteHolders(pid_t server) const;
  // Renames a log that has grown too large. Must be called while no server runs.
  void RotateLog() const;
  // Returns the last lines of the log, at most 2 KiB, for an error message.
  std::string LogTail() const;

 private:
  RedisDirectory(std::string path, UniqueFd directory, UniqueFd lock)
      : path_(std::move(path)), directory_(std::move(directory)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd directory_;
  UniqueFd lock_;
};

}  // namespace viewcount
