// Damages the append-only file of a redis-server like a crash of its machine or an operator with an old backup.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <random>
#include <string>
#include <thread>

namespace viewcount {

// Watches the append-only file grow, so that it can be cut back to any moment of the last two seconds. `appendfsync
// everysec` may lose that much. Thread-safe. `folder` is Redis' --dir; the directory must outlive this object.
class AppendOnlyFile {
 public:
  explicit AppendOnlyFile(std::string folder);
  ~AppendOnlyFile();
  AppendOnlyFile(const AppendOnlyFile&) = delete;
  AppendOnlyFile& operator=(const AppendOnlyFile&) = delete;

  // Cuts bytes off the end of the file. The new end lies anywhere between the end two seconds before `now` and the
  // present end, possibly in the middle of a command. Returns the number of bytes that were cut. The server must not be
  // running.
  uint64_t CutBack(std::mt19937_64& random, std::chrono::steady_clock::time_point now);

  // Copies the server's append-only files to `copy`, which must not exist. Everything that the server has answered must
  // have reached the file before the call: see RedisProcess::WaitUntilWritten.
  void Save(const std::string& copy) const;
  // Replaces the append-only files by such a copy. The server must not be running.
  void Restore(const std::string& copy) const;

 private:
  struct Sample {
    std::chrono::steady_clock::time_point time;
    std::string name;
    uint64_t bytes;
  };

  std::string files() const { return folder_ + "/appendonlydir"; }
  // Returns the name and size of the last file that the manifest names. Only this file grows.
  Sample Look() const;
  void Watch();

  const std::string folder_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::deque<Sample> samples_;
  std::thread thread_;
};

}  // namespace viewcount
