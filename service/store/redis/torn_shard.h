// Torn shards hold a half-written part, because a script failed between its first write and its last. This file
// recognises and restores them (scripts/restore.lua; KEYS.md, "Torn parts").
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

// Returns whether `reply` is the answer that a script gives instead of working on a torn shard.
bool IsTorn(const Reply& reply);

// Undoes the half-written part that the shard holds. Returns true if there was one. Used on the connection's thread.
//
// Errors: those of the connection and of Redis, after which the shard is as torn as before. DATA_LOSS for an undo log
// that this version cannot read. ABORTED if other processes kept tearing the shard meanwhile.
boost::asio::awaitable<absl::StatusOr<bool>> RestoreShard(RedisConnection& connection, const Script& restore,
                                                          Shard shard);

}  // namespace viewcount
