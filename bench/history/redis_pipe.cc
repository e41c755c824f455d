#include "bench/history/redis_pipe.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace viewcount::bench {
namespace {

constexpr size_t kBatchBytes = 1 << 20;
constexpr timeval kConnectTimeout{.tv_sec = 5, .tv_usec = 0};
// Redis answers nothing while it grows a large table.
constexpr timeval kAnswerTimeout{.tv_sec = 60, .tv_usec = 0};

using Answer = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

}  // namespace

absl::StatusOr<RedisPipe> RedisPipe::Connect(const RedisAddress& address) {
  redisContext* made = address.socket_path.empty()
                           ? redisConnectWithTimeout(address.host.c_str(), address.port, kConnectTimeout)
                           : redisConnectUnixWithTimeout(address.socket_path.c_str(), kConnectTimeout);
  Context context(made, &redisFree);
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for a connection to Redis");
  if (context->err != 0) {
    return absl::UnavailableError(fmt::format("cannot connect to Redis {}: {}", address.ToString(), context->errstr));
  }
  redisSetTimeout(context.get(), kAnswerTimeout);
  RedisPipe pipe(std::move(context));
  if (!address.password.empty()) {
    if (address.user.empty()) {
      pipe.Send({"AUTH", address.password});
    } else {
      pipe.Send({"AUTH", address.user, address.password});
    }
  }
  if (address.database != 0) pipe.Send({"SELECT", std::to_string(address.database)});
  if (auto status = pipe.Finish(); !status.ok()) return status;
  return pipe;
}

void RedisPipe::Send(const std::vector<std::string_view>& words) {
  auto out = std::back_inserter(batch_);
  fmt::format_to(out, "*{}\r\n", words.size());
  for (const std::string_view word : words) {
    fmt::format_to(out, "${}\r\n", word.size());
    batch_.append(word).append("\r\n");
  }
  ++batch_commands_;
  if (batch_.size() < kBatchBytes) return;
  const size_t before = batch_commands_;
  Write();
  ReadAnswers(before);
}

void RedisPipe::Write() {
  if (status_.ok() && !batch_.empty()) {
    int done = redisAppendFormattedCommand(context_.get(), batch_.data(), batch_.size()) == REDIS_OK ? 0 : 1;
    while (done == 0 && redisBufferWrite(context_.get(), &done) == REDIS_OK) {
    }
    if (context_->err != 0) status_ = absl::UnavailableError(fmt::format("Redis: {}", context_->errstr));
  }
  batch_.clear();
  unanswered_ += std::exchange(batch_commands_, 0);
}

void RedisPipe::ReadAnswers(size_t left) {
  for (; unanswered_ > left; --unanswered_) {
    void* read = nullptr;
    if (context_->err != 0) continue;
    if (redisGetReply(context_.get(), &read) != REDIS_OK) {
      if (status_.ok()) status_ = absl::UnavailableError(fmt::format("Redis: {}", context_->errstr));
      continue;
    }
    const Answer answer(static_cast<redisReply*>(read), &freeReplyObject);
    if (answer->type == REDIS_REPLY_ERROR && status_.ok()) {
      status_ = absl::FailedPreconditionError(fmt::format("Redis: {}", std::string_view(answer->str, answer->len)));
    }
  }
}

absl::Status RedisPipe::Finish() {
  Write();
  ReadAnswers(0);
  return status_;
}

absl::StatusOr<std::string> RedisPipe::Ask(const std::vector<std::string_view>& words) {
  Send(words);
  Write();
  ReadAnswers(1);
  if (!status_.ok()) return status_;
  void* read = nullptr;
  unanswered_ = 0;
  if (redisGetReply(context_.get(), &read) != REDIS_OK) {
    return status_ = absl::UnavailableError(fmt::format("Redis: {}", context_->errstr));
  }
  const Answer answer(static_cast<redisReply*>(read), &freeReplyObject);
  const std::string text = answer->str == nullptr ? "" : std::string(answer->str, answer->len);
  if (answer->type == REDIS_REPLY_ERROR) return status_ = absl::FailedPreconditionError("Redis: " + text);
  return answer->type == REDIS_REPLY_INTEGER ? std::to_string(answer->integer) : text;
}

}  // namespace viewcount::bench
