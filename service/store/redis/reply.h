// A Redis reply as a value, and the only place where Redis' errors become statuses. All functions are thread-safe.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace viewcount {

// Errors inside arrays are replies of kind kError too.
struct Reply {
  enum class Kind : uint8_t { kNil, kInteger, kText, kArray, kError };
  Kind kind = Kind::kNil;
  int64_t integer = 0;
  // A string, a status, or the text of an error.
  std::string text;
  std::vector<Reply> elements;

  bool is_nil() const { return kind == Kind::kNil; }
};

// Converts an error's text to a status. The first word becomes the reason of its ErrorInfo, as in `REDIS_OOM`; an
// unknown command has the reason `REDIS_UNKNOWN_COMMAND`. Temporary states (LOADING, BUSY, READONLY, MASTERDOWN,
// MISCONF, NOREPLICAS, CLUSTERDOWN, TRYAGAIN) become UNAVAILABLE. OOM becomes RESOURCE_EXHAUSTED. Refused credentials,
// and commands that the user may not run, become PERMISSION_DENIED. Everything else becomes INTERNAL.
absl::Status ErrorOfReply(std::string_view text);

// Returns whether an error says that this server is not the master, or that its data is being replaced (READONLY,
// MASTERDOWN, LOADING). The connection then leads to the wrong server, and only a new connection finds the right one.
bool IsFromWrongServer(std::string_view text);

// Explains the reason of a status that ErrorOfReply made, and says what to do. Empty for a reason without an entry.
std::string_view ExplanationOf(std::string_view reason);

// Returns the reply if it is of that kind. Otherwise returns the error that the reply holds, or DATA_LOSS. `what` names
// the command for the message.
absl::StatusOr<Reply> Expect(absl::StatusOr<Reply> reply, Reply::Kind kind, std::string_view what);

// Returns a count in the form in which Redis holds it; nil is 0. DATA_LOSS for anything but an integer from −2^53 to
// 2^53.
absl::StatusOr<int64_t> CountOf(const Reply& reply);

}  // namespace viewcount
