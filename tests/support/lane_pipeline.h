// A lane's way into a real Redis without its thread and queue: ledger, flusher, store, readers on one executor.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/base/store_thread.h"
#include "service/base/wait_group.h"
#include "service/flush/flusher.h"
#include "service/query/count_cache.h"
#include "service/query/count_reader.h"
#include "service/query/popular_reader.h"
#include "service/store/redis/redis_store.h"
#include "tests/support/redis_process.h"

namespace viewcount {

// One thread, that of the test.
class LanePipeline {
 public:
  struct Options {
    RankedLimits ranked = {};
    std::string time_zone;
    // A lane that shares the store with others of its data set.
    DataSetId data_set = {};
    std::string site = "demo";
    // What the flusher is given instead of the store: one that stands before it and breaks things.
    std::function<std::unique_ptr<CountStore>(CountStore& store)> decorate = {};
  };
  explicit LanePipeline(RedisProcess& redis) : LanePipeline(redis, Options()) {}
  LanePipeline(RedisProcess& redis, Options options);
  ~LanePipeline();

  // Waits for the store; the status of opening it.
  absl::Status Open();
  // Folds a batch of views received now; their event time is now unless they say otherwise.
  void Fold(std::vector<DecodedView> views);
  void Fold(std::string_view article_id, uint32_t count = 1) { Fold({{.article_id = article_id, .count = count}}); }
  absl::Status Flush(std::chrono::milliseconds timeout = std::chrono::seconds(10));

  absl::StatusOr<Counts> Read(const std::vector<std::string>& ids);
  absl::StatusOr<PopularList> Popular(Window window = {});

  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return thread_.Spawn(std::move(coroutine)).get();
  }
  RedisStore& store() { return *store_; }
  Ledger& ledger() { return ledger_; }
  CountCache& cache() { return cache_; }
  CountReader& counts() { return counts_; }
  Metrics& metrics() { return metrics_; }
  const SiteDirectory& sites() const { return sites_; }
  const LaneIdentity& lane() const { return lane_; }
  std::shared_ptr<const Site> site() const { return sites_.Find(options_.site); }
  const absl::Status& fenced() const { return fenced_; }

 private:
  class BareBatch;

  const Options options_;
  const SystemClock clock_;
  Metrics metrics_;
  StoreThread thread_;
  const LaneIdentity lane_{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
  Ledger ledger_{lane_.id};
  SiteDirectory sites_;
  CountCache cache_{{{&ledger_, lane_.incarnation}}};
  std::unique_ptr<RedisStore> store_;
  std::unique_ptr<CountStore> decorated_;
  CountReader counts_;
  PopularReader popular_;
  absl::Status fenced_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<WaitGroup> running_;
  Position position_;
};

}  // namespace viewcount
