// Ensures that a transaction that was cut off at the end of Redis' append-only file is never carried out in part.
//
// In the file, the writes of a script stand between MULTI and EXEC. A crash may cut the file in the middle of one of
// these commands. Then Redis (7.0.15, and later ones: https://github.com/valkey-io/valkey/pull/4342) removes only that
// command at its next start. It appends new commands after the rest of the transaction. At the start after that, the
// next EXEC in the file carries out the torn part as well. That adds counts without their cursor, which are then
// counted a second time.
//
// So after each start of Redis, a new file is begun before anything is written. A torn transaction then stands at the
// end of a file, where Redis recognises and removes it.
//
// If Redis dies before the rewrite is done, its next start fails once with "the truncated file is not the last file".
// That start repairs the file, and the start after it succeeds.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "service/store/redis/connection.h"

namespace viewcount {

// Makes Redis rewrite its append-only file, unless it keeps none or has rewritten it for this purpose since its start.
// `info` is Redis' answer to INFO on this connection. Returns when the new file is begun, not when the rewrite is done.
// Call it before anything is written on a new connection. Returns true if the rewrite was begun now: call NoteSealed
// then. Used on the connection's thread.
//
// UNAVAILABLE while Redis saves a snapshot, which it finishes first. FAILED_PRECONDITION if the user may not rewrite
// the file, or if Redis does not have the command. The message is one line that says what to do.
boost::asio::awaitable<absl::StatusOr<bool>> SealAppendOnlyFile(RedisConnection& connection, std::string_view info);
// Records in vc:meta that this run of Redis has begun a new file. A Redis that refuses all writes for now (OOM,
// MISCONF, NOREPLICAS) is no error: the next connect begins a new file again.
boost::asio::awaitable<absl::Status> NoteSealed(RedisConnection& connection, std::string_view info);

// Returns the value after `name:` in the answer to INFO; empty if it is not there.
std::string_view InfoField(std::string_view info, std::string_view name);

}  // namespace viewcount
