// Keeps a transaction that was cut off at the end of Redis' append-only file from ever being carried out in part.
//
// A script's writes stand in the file between MULTI and EXEC. If a crash cuts the file in the middle of such a command,
// Redis (7.0.15, and later ones: https://github.com/valkey-io/valkey/pull/4342) removes that command alone at its next
// start and goes on writing behind what is left of the transaction. At the start after that, the next EXEC in the file
// carries out the torn part as well: counts without their cursor, which are then counted a second time.
//
// So after each start of Redis, nothing is written before a new file was begun: what is torn then stands at the end of
// a file, where Redis recognises and removes it. (If Redis dies before the rewrite is done it refuses its next start
// once, with "the truncated file is not the last file", has mended the file by then, and starts when it is tried
// again.)
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "service/store/redis/connection.h"

namespace viewcount {

// `info`: Redis' answer to INFO on this connection. Has Redis rewrite its append-only file, unless it keeps none or
// this was done since it was started, and returns when the new file is begun, not when the rewriting is done. To be
// called before anything is written on a new connection. True if it was done now: call NoteSealed then.
//
// UNAVAILABLE while Redis saves a snapshot, which it finishes first; FAILED_PRECONDITION if its user may not do that or
// it does not have the command, in one line that says what to do.
boost::asio::awaitable<absl::StatusOr<bool>> SealAppendOnlyFile(RedisConnection& connection, std::string_view info);
// Remembers it in vc:meta until Redis is started again. A Redis that refuses all writes for now (OOM, MISCONF,
// NOREPLICAS) is no error: the next connect seals the file again.
boost::asio::awaitable<absl::Status> NoteSealed(RedisConnection& connection, std::string_view info);

// The value behind `name:` in the answer to INFO; empty if it is not there.
std::string_view InfoField(std::string_view info, std::string_view name);

}  // namespace viewcount
