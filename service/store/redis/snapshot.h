// Reads several values of Redis at the same moment.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "service/store/redis/connection.h"

namespace viewcount {

// Runs reading commands in one atomic step and returns one reply for each. Uses a transaction. Where Redis refuses that
// (while its memory is full, or by the user's rules), it uses a script, which costs Redis three times as much. Used on
// the connection's thread.
//
// The words must stay valid until the answer. All words of PFCOUNT but the first are keys; of any other command only
// the second word is a key. HMGET may have any number of fields, other commands at most limits::kScriptCommandWordsMax
// words. An error of one command becomes the status of all.
boost::asio::awaitable<absl::StatusOr<std::vector<Reply>>> ReadTogether(RedisConnection& connection,
                                                                        const std::vector<RedisCommand>& commands);

}  // namespace viewcount
