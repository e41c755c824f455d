// The interface of a store that removes days of counts.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "service/store/salt_store.h"

namespace viewcount {

// A day of a site, in the form of DayNumber.
struct StoredDay {
  std::string site;
  uint32_t day = 0;

  auto operator<=>(const StoredDay&) const = default;
};

// Threads and errors are those of CountStore, without ABORTED.
class DayStore {
 public:
  virtual ~DayStore() = default;

  // Returns the days with counts that lie before the day given for their site. Reads the names of all keys, in steps.
  virtual boost::asio::awaitable<absl::StatusOr<std::set<StoredDay>>> ListDaysBefore(const SiteDays& first_days) = 0;
  // Removes the views, visits and viewers of a day. Views of all time stay, and an audit finds no difference. It may be
  // repeated after an error.
  virtual boost::asio::awaitable<absl::Status> RemoveDay(std::string_view site, uint32_t day) = 0;

  // See CountStore::generation. A store that went back in time may have the days again.
  virtual uint64_t generation() const = 0;
};

}  // namespace viewcount
