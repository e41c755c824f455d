// Sends many commands to Redis without waiting for the answer to each.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <hiredis/hiredis.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/base/redis_address.h"

namespace viewcount::bench {

// Two batches of commands may be on their way: Redis works on one while the caller makes the next. Not thread-safe.
class RedisPipe {
 public:
  static absl::StatusOr<RedisPipe> Connect(const RedisAddress& address);

  // Adds a command. Errors of earlier commands, and a broken connection, are reported by Finish.
  void Send(const std::vector<std::string_view>& words);
  // Waits for all answers. Returns the first error.
  absl::Status Finish();
  // Waits for all answers, then returns the answer to this command: a text, or a number as text.
  absl::StatusOr<std::string> Ask(const std::vector<std::string_view>& words);

  const absl::Status& status() const { return status_; }

 private:
  using Context = std::unique_ptr<redisContext, decltype(&redisFree)>;
  explicit RedisPipe(Context context) : context_(std::move(context)) {}

  void Write();
  void ReadAnswers(size_t left);

  Context context_;
  std::string batch_;
  size_t batch_commands_ = 0;
  // Commands that were sent and are not answered.
  size_t unanswered_ = 0;
  absl::Status status_;
};

}  // namespace viewcount::bench
