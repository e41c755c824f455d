// The one list of the Redis commands that viewcountd needs.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "service/store/redis/connection.h"

namespace viewcount {

// Returns the user with the fewest rights that viewcountd can use, as a `user …` line of redis.conf or of an ACL file.
// The text after `user` also serves as arguments of ACL SETUSER. RUNBOOK.md quotes it with PASSWORD. `name` and
// `password` must not contain spaces.
std::string LeastUser(std::string_view name, std::string_view password);

// Runs every command that the store needs on scratch keys. `user` is the connection's user, empty for the default user.
// FAILED_PRECONDITION if Redis refuses a command; the message is one line that says which ones, and what to do. Other
// errors of Redis are left to Preflight. Errors of the connection are returned.
boost::asio::awaitable<absl::Status> CheckPermissions(RedisConnection& connection, std::string_view user);

}  // namespace viewcount
