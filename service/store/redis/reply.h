// A Redis reply as a value, and the one place where Redis' errors become statuses.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct redisReply;

namespace viewcount {

struct Reply {
  enum class Kind : uint8_t { kNil, kInteger, kText, kArray, kError };
  Kind kind = Kind::kNil;
  int64_t integer = 0;
  // A string, a status, or an error's text.
  std::string text;
  std::vector<Reply> elements;

  bool is_nil() const { return kind == Kind::kNil; }
};

// Copies hiredis' reply; errors inside arrays stay replies of kind kError.
Reply CopyReply(const redisReply& reply);

// The status of an error's text. The first word becomes the reason of its ErrorInfo, as `REDIS_OOM`; a command that
// Redis does not have is `REDIS_UNKNOWN_COMMAND`. Temporary states (LOADING, BUSY, READONLY, MASTERDOWN, MISCONF,
// NOREPLICAS, CLUSTERDOWN, TRYAGAIN) are UNAVAILABLE, OOM is RESOURCE_EXHAUSTED, refused credentials and commands that
// the user may not run are PERMISSION_DENIED, anything else INTERNAL.
absl::Status ErrorOfReply(std::string_view text);

// Whether an error's text says that this server is not the master any more, or that its data is being replaced
// (READONLY, MASTERDOWN, LOADING). The connection leads to the wrong server then: only a new one finds the right one.
bool IsFromWrongServer(std::string_view text);

// Explains the reason of a status that ErrorOfReply made, and says what to do. Empty for a reason without an entry.
std::string_view ExplanationOf(std::string_view reason);

// The reply if it is of that kind, else the error it is or DATA_LOSS. `what` names the command for the message.
absl::StatusOr<Reply> Expect(absl::StatusOr<Reply> reply, Reply::Kind kind, std::string_view what);

// A count as Redis holds it: nil is 0. DATA_LOSS for anything that is not an integer from −2^53 to 2^53.
absl::StatusOr<int64_t> CountOf(const Reply& reply);

}  // namespace viewcount
