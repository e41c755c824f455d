// Holds what is counted against the truth, article by article.
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

// How counts differ from the truth.
struct Difference {
  // Acknowledged views that are not counted, and views counted that nobody sent, or counted again.
  uint64_t lost = 0;
  uint64_t doubled = 0;
  int articles = 0;
  // Why nothing could be compared; the first few articles that differ.
  std::string remarks;

  bool none() const { return lost == 0 && doubled == 0 && articles == 0 && remarks.empty(); }
  std::string ToString() const;
};

// The counts of the articles from `first` on, `count` of them and at most 1,000; an error if the answer is one, or is
// not exact.
grpc::Status GetCounts(const std::shared_ptr<grpc::Channel>& channel, const Truth& truth, int first, int count,
                       v1::GetCountsResponse& response);

// As GetCounts has them; all must be exact.
Difference CompareAnswers(const std::shared_ptr<grpc::Channel>& channel, const Truth& truth);
// As Redis has them for all time, with each shard's sum.
Difference CompareStored(RedisProcess& redis, const Truth& truth);
// As the last two, at once, printed; true if there is no difference.
bool SameEverywhere(const std::shared_ptr<grpc::Channel>& channel, RedisProcess& redis, const Truth& truth);

// Waits until everything acknowledged is in Redis; false if that took too long.
bool FlushAll(const std::shared_ptr<grpc::Channel>& channel,
              std::chrono::milliseconds timeout = std::chrono::seconds(60));

// Waits until the service reaches Redis for writing and for reading, which are connections of their own. False after
// `timeout`.
bool ReachesStore(const std::shared_ptr<grpc::Channel>& channel,
                  std::chrono::milliseconds timeout = std::chrono::seconds(30));

// What `viewcount audit` has to say. The command line of an older build has no such command: that is printed, and
// passes.
bool AuditIsClean(const std::string& server);

}  // namespace viewcount
