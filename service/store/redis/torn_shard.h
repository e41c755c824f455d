// Shards that hold half a part, because a script failed between its first write and its last: how they are recognised,
// and how they are undone (scripts/restore.lua; KEYS.md, "Torn parts").
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/store/redis/connection.h"
#include "service/store/redis/script.h"

namespace viewcount {

// The field of a shard's lanes hash that holds the undo log; absent or empty while the shard is whole.
inline constexpr std::string_view kUndoField = "undo";

// Whether `reply` is what a script answers instead of working on a torn shard.
bool IsTorn(const Reply& reply);

// Undoes the half part that the shard holds, if it does. Whether it did. On the connection's thread.
//
// Errors: those of the connection and of Redis, and then the shard is as torn as before; DATA_LOSS for an undo log that
// this version cannot read; ABORTED if others kept tearing the shard meanwhile.
boost::asio::awaitable<absl::StatusOr<bool>> RestoreShard(RedisConnection& connection, const Script& restore,
                                                          Shard shard);

}  // namespace viewcount
