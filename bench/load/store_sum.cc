#include "bench/load/store_sum.h"

#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <hiredis/hiredis.h>

#include <charconv>
#include <chrono>
#include <memory>
#include <string_view>

#include "service/base/limits.h"
#include "service/base/redis_address.h"
#include "service/store/redis/keys.h"
#include "viewcount/v1/admin.grpc.pb.h"

namespace viewcount::bench {
namespace {

constexpr std::chrono::seconds kFlushTimeout{60};
constexpr timeval kRedisTimeout{.tv_sec = 5, .tv_usec = 0};

using Context = std::unique_ptr<redisContext, decltype(&redisFree)>;
using Reply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

// Sends one command of plain words, and returns the reply.
Reply Ask(redisContext& context, std::initializer_list<std::string_view> words) {
  std::vector<const char*> starts;
  std::vector<size_t> lengths;
  for (const std::string_view word : words) {
    starts.push_back(word.data());
    lengths.push_back(word.size());
  }
  void* reply = redisCommandArgv(&context, static_cast<int>(starts.size()), starts.data(), lengths.data());
  return {static_cast<redisReply*>(reply), &freeReplyObject};
}

absl::Status StatusOf(const redisContext& context, const redisReply* reply) {
  if (reply == nullptr) return absl::UnavailableError(fmt::format("Redis: {}", context.errstr));
  if (reply->type == REDIS_REPLY_ERROR)
    return absl::FailedPreconditionError(fmt::format("Redis: {}", std::string_view(reply->str, reply->len)));
  return absl::OkStatus();
}

absl::StatusOr<Context> Connect(const RedisAddress& address) {
  redisContext* made = address.socket_path.empty()
                           ? redisConnectWithTimeout(address.host.c_str(), address.port, kRedisTimeout)
                           : redisConnectUnixWithTimeout(address.socket_path.c_str(), kRedisTimeout);
  Context context(made, &redisFree);
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for a connection to Redis");
  if (context->err != 0)
    return absl::UnavailableError(fmt::format("cannot connect to Redis {}: {}", address.ToString(), context->errstr));
  redisSetTimeout(context.get(), kRedisTimeout);
  if (!address.password.empty()) {
    const Reply reply = address.user.empty() ? Ask(*context, {"AUTH", address.password})
                                             : Ask(*context, {"AUTH", address.user, address.password});
    if (auto status = StatusOf(*context, reply.get()); !status.ok()) return status;
  }
  if (address.database != 0) {
    const Reply reply = Ask(*context, {"SELECT", std::to_string(address.database)});
    if (auto status = StatusOf(*context, reply.get()); !status.ok()) return status;
  }
  return context;
}

}  // namespace

absl::Status FlushService(const std::string& grpc_address) {
  const auto channel = grpc::CreateChannel(grpc_address, grpc::InsecureChannelCredentials());
  const auto stub = v1::AdminService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kFlushTimeout);
  v1::FlushResponse response;
  const grpc::Status status = stub->Flush(&context, {}, &response);
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      fmt::format("the service at {} did not flush: {}", grpc_address, status.error_message()));
}

absl::StatusOr<int64_t> ReadStoreSum(const std::string& redis_url, const std::string& site) {
  const auto address = ParseRedisAddress(redis_url);
  if (!address.ok()) return address.status();
  const auto context = Connect(*address);
  if (!context.ok()) return context.status();
  int64_t sum = 0;
  for (uint32_t shard = 0; shard < limits::kShards; ++shard) {
    const std::string key = keys::Counts(Shard{static_cast<uint8_t>(shard)}, site, Window{});
    const Reply reply = Ask(**context, {"HGET", key, ""});
    if (auto status = StatusOf(**context, reply.get()); !status.ok()) return status;
    if (reply->type == REDIS_REPLY_NIL) continue;
    int64_t value = 0;
    const auto [end, error] = std::from_chars(reply->str, reply->str + reply->len, value);
    if (error != std::errc() || end != reply->str + reply->len)
      return absl::DataLossError(fmt::format("the sum in {} is no number", key));
    sum += value;
  }
  return sum;
}

}  // namespace viewcount::bench
