// Compares counts with the truth, article by article.
#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/fault/truth.h"
#include "tests/support/redis_process.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// The differences between counts and the truth.
struct Difference {
  // `lost` counts acknowledged views that are not counted. `doubled` counts views that are counted but were never sent,
  // or are counted again.
  uint64_t lost = 0;
  uint64_t doubled = 0;
  int articles = 0;
  // The reason why nothing could be compared, or the first few articles that differ.
  std::string remarks;

  bool none() const { return lost == 0 && doubled == 0 && articles == 0 && remarks.empty(); }
  std::string ToString() const;
};

// Reads the counts of `count` articles, from `first` on; at most 1,000. Returns an error if the call fails or the
// answer is not exact.
grpc::Status GetCounts(const std::shared_ptr<grpc::Channel>& channel, const Truth& truth, int first, int count,
                       v1::GetCountsResponse& response);

// Compares the answers of GetCounts. All answers must be exact.
Difference CompareAnswers(const std::shared_ptr<grpc::Channel>& channel, const Truth& truth);
// Compares the counts of all time in Redis, and each shard's sum.
Difference CompareStored(RedisProcess& redis, const Truth& truth);
// Makes both comparisons and prints the results. Returns true if there is no difference.
bool SameEverywhere(const std::shared_ptr<grpc::Channel>& channel, RedisProcess& redis, const Truth& truth);

// Waits until everything acknowledged is in Redis. Returns false after `timeout`.
bool FlushAll(const std::shared_ptr<grpc::Channel>& channel,
              std::chrono::milliseconds timeout = std::chrono::seconds(60));

// Waits until the service is connected to Redis for writing and for reading, which are separate connections. Returns
// false after `timeout`.
bool ReachesStore(const std::shared_ptr<grpc::Channel>& channel,
                  std::chrono::milliseconds timeout = std::chrono::seconds(30));

// Runs `viewcount audit` and returns whether it finds no difference. The command line of an older build has no such
// command. In that case this is printed, and the result is true.
bool AuditIsClean(const std::string& server);

}  // namespace viewcount
