// Runs viewcountd and Redis under load and kills them many times. Afterwards, every article's count is compared with
// the truth.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/load.h"
#include "tests/fault/truth.h"
#include "tests/support/append_only_file.h"
#include "tests/support/faulty_proxy.h"
#include "tests/support/redis_pair.h"
#include "tests/support/redis_process.h"
#include "tests/support/redis_user.h"
#include "tests/support/service_process.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {

struct KillOptions {
  std::chrono::seconds duration{30};
  int service_kills = 6;
  // Every other killed Redis loses up to two seconds of its append-only file.
  int redis_kills = 4;
  // How often a replica becomes the master behind a TCP proxy: mostly in order, and sometimes while the master is dead.
  // Connections to the old master stay open. 0 means one redis-server without a proxy.
  int master_changes = 0;
  // The user as which viewcountd logs in to Redis.
  RedisUser redis_user = {};
  uint64_t views_per_second = 200'000;
  int writers = 8;
  int articles = 20'000;
  int lanes = 2;
  uint64_t seed = 1;
};

// One run. Not thread-safe. The thread that creates it must outlive it, because the servers are that thread's children.
class KillRun {
 public:
  explicit KillRun(const KillOptions& options);
  ~KillRun();
  KillRun(const KillRun&) = delete;
  KillRun& operator=(const KillRun&) = delete;

  // Returns true if every acknowledged view is counted once, and no exact answer during the run was wrong. Prints the
  // results.
  bool Run();

 private:
  using Time = std::chrono::steady_clock::time_point;

  // Starts the Redis servers that the options require. Returns the URL for --redis.
  std::string StartRedis();
  Time RandomTime(double from, double to);
  // Returns `count` random times, latest first.
  std::vector<Time> RandomTimes(int count, double from, double to);
  std::chrono::milliseconds RandomPause(int most);
  // Kills the service and Redis at random moments until the time is over. Returns false if the service ended by itself.
  bool KillAround();
  void KillService();
  void KillRedis();
  void ReviveRedis();
  // Returns false if the replica is not ready to become the master yet.
  bool ChangeMaster();
  RedisProcess& redis() { return pair_ != nullptr ? pair_->master() : *single_; }
  // Reads counts until it is stopped. An exact count must be at least the number of views acknowledged before the call,
  // and at most the number sent by its end.
  void Watch();
  bool CheckEnd();
  bool Fail(const std::string& what) const;

  const KillOptions options_;
  std::mt19937_64 random_;
  TemporaryDirectory folder_;
  // Only one of these two is used.
  std::unique_ptr<RedisProcess> single_;
  std::unique_ptr<RedisPair> pair_;
  // Leads to `single_` over TCP, if viewcountd logs in as a user.
  std::unique_ptr<FaultyProxy> proxy_;
  // The append-only file of each server.
  std::map<const RedisProcess*, std::unique_ptr<AppendOnlyFile>> append_only_files_;
  ServiceProcess service_;
  Truth truth_;
  Time began_;
  // The server that was killed, and the time of its restart. Without a time, all servers run.
  RedisProcess* dead_redis_ = nullptr;
  std::optional<Time> redis_back_;
  // Whether the replica had all data when its master was killed.
  bool replica_whole_ = false;
  int service_kills_ = 0;
  int early_service_kills_ = 0;
  int redis_kills_ = 0;
  int master_changes_ = 0;
  int changes_from_dead_masters_ = 0;
  int cuts_ = 0;
  uint64_t bytes_cut_ = 0;

  std::atomic<bool> watching_{true};
  // Written by the watcher's thread, and read after its end.
  uint64_t exact_answers_ = 0;
  uint64_t inexact_answers_ = 0;
  uint64_t wrong_answers_ = 0;
  std::string first_wrong_answer_;
};

}  // namespace viewcount
