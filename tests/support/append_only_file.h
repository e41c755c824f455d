// What a crash of a machine, or an operator with an old backup, does to the append-only file of a redis-server.
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

// Watches the file grow, so that it can be cut back to any moment of the last two seconds: what `appendfsync everysec`
// may lose. Thread safe; `folder` (Redis' --dir) must outlive it.
class AppendOnlyFile {
 public:
  explicit AppendOnlyFile(std::string folder);
  ~AppendOnlyFile();
  AppendOnlyFile(const AppendOnlyFile&) = delete;
  AppendOnlyFile& operator=(const AppendOnlyFile&) = delete;

  // Cuts the end off, anywhere between where it was two seconds before `now` and where it is, also in the middle of a
  // command. Returns the bytes cut. The server must not run.
  uint64_t CutBack(std::mt19937_64& random, std::chrono::steady_clock::time_point now);

  // Copies everything of the server's append-only file to `copy`, which must not exist. What it has answered before the
  // call must have reached the file: see RedisProcess::WaitUntilWritten.
  void Save(const std::string& copy) const;
  // Puts such a copy in place of what is there. The server must not run.
  void Restore(const std::string& copy) const;

 private:
  struct Sample {
    std::chrono::steady_clock::time_point time;
    std::string name;
    uint64_t bytes;
  };

  std::string files() const { return folder_ + "/appendonlydir"; }
  // The last file that the manifest names: the only one that grows.
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
