#include "service/store/redis/reply.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <charconv>

#include "service/base/limits.h"
#include "service/base/status.h"

namespace viewcount {

Reply CopyReply(const redisReply& reply) {
  Reply copy;
  switch (reply.type) {
    case REDIS_REPLY_NIL:
      break;
    case REDIS_REPLY_INTEGER:
      copy.kind = Reply::Kind::kInteger;
      copy.integer = reply.integer;
      break;
    case REDIS_REPLY_ARRAY:
      copy.kind = Reply::Kind::kArray;
      copy.elements.reserve(reply.elements);
      for (size_t i = 0; i < reply.elements; ++i) copy.elements.push_back(CopyReply(*reply.element[i]));
      break;
    default:
      copy.kind = reply.type == REDIS_REPLY_ERROR ? Reply::Kind::kError : Reply::Kind::kText;
      copy.text.assign(reply.str, reply.len);
  }
  return copy;
}

absl::Status ErrorOfReply(std::string_view text) {
  std::string_view word = text.substr(0, text.find(' '));
  // An error inside a script may come with a word of the script's own before it.
  if (word == "ERR") {
    if (const size_t at = text.find("OOM command not allowed"); at != std::string_view::npos) word = "OOM";
  }
  absl::StatusCode code = absl::StatusCode::kInternal;
  if (word == "OOM") {
    code = absl::StatusCode::kResourceExhausted;
  } else if (word == "LOADING" || word == "BUSY" || word == "READONLY" || word == "MASTERDOWN" || word == "MISCONF" ||
             word == "CLUSTERDOWN" || word == "TRYAGAIN" || word == "NOREPLICAS") {
    code = absl::StatusCode::kUnavailable;
  } else if (word == "NOAUTH" || word == "WRONGPASS" || word == "NOPERM") {
    code = absl::StatusCode::kPermissionDenied;
  }
  return ErrorWithReason(code, fmt::format("Redis: {}", text), fmt::format("REDIS_{}", word));
}

absl::StatusOr<Reply> Expect(absl::StatusOr<Reply> reply, Reply::Kind kind, std::string_view what) {
  if (!reply.ok() || reply->kind == kind) return reply;
  if (reply->kind == Reply::Kind::kError) return ErrorOfReply(reply->text);
  return absl::DataLossError(fmt::format("Redis answered {} with a reply of an unexpected type", what));
}

absl::StatusOr<int64_t> CountOf(const Reply& reply) {
  if (reply.is_nil()) return 0;
  constexpr auto kMax = static_cast<int64_t>(limits::kCountMax);
  int64_t value = 0;
  const char* end = reply.text.data() + reply.text.size();
  const auto [stop, error] = std::from_chars(reply.text.data(), end, value);
  if (reply.kind != Reply::Kind::kText || error != std::errc() || stop != end || value > kMax || value < -kMax) {
    return absl::DataLossError(fmt::format("Redis holds \"{}\" where a count should be", reply.text.substr(0, 40)));
  }
  return value;
}

}  // namespace viewcount
