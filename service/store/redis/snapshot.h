// Several answers of Redis that are of one moment.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <vector>

#include "service/store/redis/connection.h"

namespace viewcount {

// Carries out reading commands in one step and returns one reply for each: in a transaction, or where Redis refuses
// that (while its memory is full, or by the user's rules) in a script, which costs it three times as much. Their words
// must live until the answer. All words after the first of PFCOUNT are keys; of any other command the second word is
// the only key. HMGET may have any number of fields; other commands at most limits::kScriptCommandWordsMax words. An
// error of one command is the status of all.
boost::asio::awaitable<absl::StatusOr<std::vector<Reply>>> ReadTogether(RedisConnection& connection,
                                                                        const std::vector<RedisCommand>& commands);

}  // namespace viewcount
