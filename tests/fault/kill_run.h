// viewcountd and Redis under load, killed again and again; then every article's count is held against the truth.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "tests/fault/load.h"
#include "tests/fault/truth.h"
#include "tests/support/append_only_file.h"
#include "tests/support/redis_process.h"
#include "tests/support/service_process.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {

struct KillOptions {
  std::chrono::seconds duration{30};
  int service_kills = 6;
  // Every other one loses up to two seconds of its append-only file.
  int redis_kills = 4;
  uint64_t views_per_second = 200'000;
  int writers = 8;
  int articles = 20'000;
  int lanes = 2;
  uint64_t seed = 1;
};

// One run. One thread, which must outlive it: the servers are its children.
class KillRun {
 public:
  explicit KillRun(const KillOptions& options);
  ~KillRun();
  KillRun(const KillRun&) = delete;
  KillRun& operator=(const KillRun&) = delete;

  // True if every acknowledged view is counted once, and no exact answer on the way was wrong. Prints what it saw.
  bool Run();

 private:
  using Time = std::chrono::steady_clock::time_point;

  Time RandomTime(double from, double to);
  std::chrono::milliseconds RandomPause(int most);
  // Kills both at random moments until the time is over; false if the service ended by itself.
  bool KillAround();
  void KillService();
  void KillRedis();
  void ReviveRedis();
  // Asks for counts until told to stop: an exact one must be at least what was acknowledged before the call, and at
  // most what was sent by its end.
  void Watch();
  bool CheckEnd();
  bool Fail(const std::string& what) const;

  const KillOptions options_;
  std::mt19937_64 random_;
  TemporaryDirectory folder_;
  RedisProcess redis_;
  AppendOnlyFile append_only_file_;
  ServiceProcess service_;
  Truth truth_;
  Time began_;
  // When Redis is to come back; nothing while it runs.
  std::optional<Time> redis_back_;
  int service_kills_ = 0;
  int early_service_kills_ = 0;
  int redis_kills_ = 0;
  int cuts_ = 0;
  uint64_t bytes_cut_ = 0;

  std::atomic<bool> watching_{true};
  // Of the watcher; read after its end.
  uint64_t exact_answers_ = 0;
  uint64_t inexact_answers_ = 0;
  uint64_t wrong_answers_ = 0;
  std::string first_wrong_answer_;
};

}  // namespace viewcount
