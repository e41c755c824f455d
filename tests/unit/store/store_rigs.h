// The two count stores that are held to one contract, each behind the same few functions.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>

#include "service/base/check.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/memory_store.h"

namespace viewcount {

// So short that every test pushes articles out.
inline constexpr RankedLimits kShortRankings{4, 2};

// One thread.
class RedisRig {
 public:
  RedisRig() { VIEWCOUNT_CHECK(pipeline_.Open().ok()); }
  CountStore& store() { return pipeline_.store(); }
  template <typename Result>
  Result Await(boost::asio::awaitable<Result> coroutine) {
    return pipeline_.Await(std::move(coroutine));
  }

 private:
  RedisProcess redis_;
  LanePipeline pipeline_{redis_, {.ranked = kShortRankings}};
};

// One thread.
class MemoryRig {
 public:
  explicit MemoryRig(uint32_t nodes = 1) : store_({.ranked = kShortRankings, .nodes = nodes}) {}
  MemoryStore& store() { return store_; }
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
