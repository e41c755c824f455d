// Viewers' salts in Redis: see KEYS.md. All coroutines run on the connection's thread.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/redis/connection.h"
#include "service/store/salt_store.h"

namespace viewcount {

// Returns the field in `vc:salts`.
std::string SaltField(std::string_view site, uint32_t day);

// See SaltStore::ObtainSalt. DATA_LOSS if the stored value is not a salt.
boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainStoredSalt(RedisConnection& connection, std::string_view site,
                                                                    uint32_t day, const ViewerSalt& fresh);
// Returns the fields whose day lies before the one given for their site, whatever their values. Fields of another form
// are left out.
boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> ListStoredSalts(RedisConnection& connection,
                                                                                 const SiteDays& first_days);
// Removes these fields from `vc:salts`, in steps.
boost::asio::awaitable<absl::Status> RemoveStoredSalts(RedisConnection& connection,
                                                       const std::vector<std::string>& fields);

}  // namespace viewcount
