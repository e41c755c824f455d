// A lane on real files that writes to a real Redis, without the lane's thread: journal, ledger, flusher, store and
// readers.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "service/base/store_thread.h"
#include "service/base/wait_group.h"
#include "service/instance/lane_runtime.h"
#include "service/query/count_cache.h"
#include "service/query/count_export.h"
#include "service/query/count_reader.h"
#include "service/query/popular_reader.h"
#include "service/store/redis/redis_store.h"
#include "tests/support/redis_process.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {

// The lane and its parts. Used by the test's thread only.
class LanePipeline {
 public:
  struct Options {
    RankedLimits ranked = {};
    std::string time_zone;
    // A zero ID makes the store choose one. Set it for a lane that shares the store with other lanes of one data set.
    DataSetId data_set = {};
    std::string site = "demo";
    // See RedisStore::Options.
    ScriptEdit edit_script = {};
    // Creates the store that the flusher uses. It wraps the real store and can inject faults.
    std::function<std::unique_ptr<CountStore>(CountStore& store)> decorate = {};
    // Changes the store's options before it is created, for example the server's address or shorter intervals.
    std::function<void(RedisStore::Options& options)> configure = {};
  };
  explicit LanePipeline(RedisProcess& redis) : LanePipeline(redis, Options()) {}
  LanePipeline(RedisProcess& redis, Options options);
  ~LanePipeline();

  // Waits for the store and claims the lane's entries. Returns the status of that.
  absl::Status Open();
  // Records views that are received now, as the lane's thread does, in batches of the largest size. Their event time is
  // now unless they have their own.
  void Fold(const std::vector<DecodedView>& views);
  void Fold(std::string_view article_id, uint32_t count = 1) { Fold({{.article_id = article_id, .count = count}}); }
  absl::Status Flush(std::chrono::milliseconds timeout = std::chrono::seconds(10));
  FlushFunction flush_function() {
    return [this](std::chrono::milliseconds timeout) { return runtime_->flusher()->FlushNow(timeout); };
  }

  absl::StatusOr<Counts> Read(const std::vector<std::string>& ids);
  // Returns as many articles as the window's rankings have, and not more than they have by default.
  absl::StatusOr<PopularList> Popular(Window window = {});
  PopularReader& popular() { return *popular_; }

  // Starts a coroutine on the store's thread and returns a future of its result.
  template <typename Result>
  std::future<Result> Spawn(boost::asio::awaitable<Result> coroutine) {
    return thread_.Spawn(std::move(coroutine));
  }
  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return thread_.Spawn(std::move(coroutine)).get();
  }
  boost::asio::any_io_executor executor() { return thread_.executor(); }
  RedisStore& store() { return *store_; }
  Ledger& ledger() { return runtime_->ledger(); }
  Lane& taking() { return runtime_->lane(); }
  JournalWriter& journal() { return runtime_->journal(); }
  CountCache& cache() { return *cache_; }
  CountReader& counts() { return *counts_; }
  Metrics& metrics() { return metrics_; }
  const SiteDirectory& sites() const { return sites_; }
  const LaneIdentity& lane() const { return runtime_->identity(); }
  std::shared_ptr<const Site> site() const { return sites_.Find(options_.site); }
  const absl::Status& fenced() const { return fenced_; }

 private:
  class OwnBatch;

  const Options options_;
  const SystemClock clock_;
  Metrics metrics_;
  TemporaryDirectory folder_;
  PosixDisk disk_;
  boost::asio::thread_pool blocking_{1};
  StoreThread thread_;
  SiteDirectory sites_;
  std::unique_ptr<LaneRuntime> runtime_;
  std::unique_ptr<CountCache> cache_;
  std::unique_ptr<RedisStore> store_;
  std::unique_ptr<CountStore> decorated_;
  std::unique_ptr<CountReader> counts_;
  std::unique_ptr<PopularReader> popular_;
  absl::Status fenced_;
  std::unique_ptr<WaitGroup> running_;
};

}  // namespace viewcount
