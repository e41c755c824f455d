// Viewers' salts as Redis holds them: see KEYS.md.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/connection.h"

namespace viewcount {

// The field in `vc:salts`.
std::string SaltField(std::string_view site, uint32_t day);

// As CountStore::ObtainSalt. DATA_LOSS if what stands there is no salt.
boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainStoredSalt(RedisConnection& connection, std::string_view site,
                                                                    uint32_t day, const ViewerSalt& fresh);
// The fields of days before those given, whatever their values. Fields that nobody of us wrote are left out.
boost::asio::awaitable<absl::StatusOr<std::vector<std::string>>> ListStoredSalts(RedisConnection& connection,
                                                                                 const SiteDays& first_days);
boost::asio::awaitable<absl::Status> RemoveStoredSalts(RedisConnection& connection,
                                                       const std::vector<std::string>& fields);

}  // namespace viewcount
