// These rigs run the two stores that must keep the same contract. All rigs have the same functions.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>

#include "service/base/check.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/memory_store.h"
#include "tests/unit/store/failing_calls.h"

namespace viewcount {

// The rankings are so short that every test pushes articles out.
inline constexpr RankedLimits kShortRankings{4, 2};

// Runs the store in Redis. Not thread-safe.
class RedisRig {
 public:
  RedisRig() { VIEWCOUNT_CHECK(pipeline_.Open().ok()); }
  RedisStore& store() { return pipeline_.store(); }
  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return pipeline_.Await(std::move(coroutine));
  }

 private:
  RedisProcess redis_;
  LanePipeline pipeline_{redis_, {.ranked = kShortRankings}};
};

// Runs the store in a Redis whose scripts fail on demand. Not thread-safe.
class FailingRedisRig {
 public:
  FailingRedisRig() { VIEWCOUNT_CHECK(pipeline_.Open().ok()); }
  RedisStore& store() { return pipeline_.store(); }
  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return pipeline_.Await(std::move(coroutine));
  }
  // See MemoryStore::TearNext(). Here `changes` is a number of commands.
  void TearNext(size_t changes) { FailingCalls::TearNext(redis_, changes); }
  void RefuseAll(bool refused) { redis_.Command({"ACL", "SETUSER", "default", refused ? "-zadd" : "+zadd"}); }

 private:
  RedisProcess redis_;
  FailingCalls calls_;
  LanePipeline pipeline_{
      redis_, {.ranked = kShortRankings, .edit_script = [this](std::string_view name, const std::string& text) {
                 return calls_.Edit(name, text);
               }}};
};

// Runs the store in memory. Not thread-safe.
class MemoryRig {
 public:
  explicit MemoryRig(uint32_t nodes = 1) : store_({.ranked = kShortRankings, .nodes = nodes}) {}
  MemoryStore& store() { return store_; }
  void TearNext(size_t changes) { store_.TearNext(changes); }
  void RefuseAll(bool refused) {
    if (refused) store_.RefuseNext();
  }
  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    auto result = boost::asio::co_spawn(context_, std::move(coroutine), boost::asio::use_future);
    context_.restart();
    context_.run();
    return result.get();
  }

 private:
  boost::asio::io_context context_;
  MemoryStore store_;
};

}  // namespace viewcount
