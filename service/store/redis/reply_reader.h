// Makes hiredis build replies as Reply, without building its own kind first. A ranking of 256 places would otherwise
// cost two more allocations for each word.
#pragma once

#include "service/store/redis/reply.h"

struct redisReader;

namespace viewcount {

// Makes a reader's further replies fit for TakeReply. Must be called before the reader reads anything. Thread-safe.
void BuildReplies(redisReader& reader);
// Takes the value out of a reply of such a reader. `reply` is what hiredis passes to a callback, and must not be null.
// hiredis frees the rest. Thread-safe.
Reply TakeReply(void* reply);

}  // namespace viewcount
