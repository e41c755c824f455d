// The interface of a store of viewers' salts.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

// A day for each site, by the site's name; days have the form of DayNumber.
using SiteDays = std::map<std::string, uint32_t, std::less<>>;

// Holds the salts under which all instances hash viewers. Threads and errors are those of CountStore, without ABORTED.
// Every write may be repeated after an error.
class SaltStore {
 public:
  virtual ~SaltStore() = default;

  // Returns the salt of a site's day (see DayNumber). Stores and returns `fresh` if the day has no salt yet. If several
  // processes do so, all of them get the first one that was stored. The result is never the empty salt.
  virtual boost::asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainSalt(std::string_view site, uint32_t day,
                                                                        const ViewerSalt& fresh) = 0;
  // Removes every salt whose day lies before the day given for its site. Reads the salts of all sites, in steps.
  virtual boost::asio::awaitable<absl::Status> RemoveSalts(const SiteDays& first_days) = 0;

  // See CountStore::generation. A salt that a caller remembers from an earlier generation may not be the stored one.
  virtual uint64_t generation() const = 0;
};

}  // namespace viewcount
