// The commands of Redis that viewcountd needs: the one list of them.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "service/store/redis/connection.h"

namespace viewcount {

// The least user for viewcountd, as `user …` of redis.conf and of an ACL file; the arguments of ACL SETUSER are what
// follows `user`. RUNBOOK.md quotes it with PASSWORD. `name` and `password` without spaces.
std::string LeastUser(std::string_view name, std::string_view password);

// Runs every command that the store needs on scratch keys. FAILED_PRECONDITION if Redis refuses one of them, in one
// line that says which and what to do; `user` is the one of the connection, empty for the default user. Other errors of
// Redis are left to Preflight, those of the connection are returned.
boost::asio::awaitable<absl::Status> CheckPermissions(RedisConnection& connection, std::string_view user);

}  // namespace viewcount
