// The interface of a store for snapshots of sites, besides the reads of counts.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"
#include "service/model/window.h"

namespace viewcount {

// Threads and errors are those of CountStore.
class SnapshotStore {
 public:
  virtual ~SnapshotStore() = default;

  // Returns what adjustments of the site itself added to the shard's sums of views, by window. Zeros are left out.
  // Visits are not included.
  virtual boost::asio::awaitable<absl::StatusOr<std::map<Window, int64_t>>> ReadStartValues(Shard shard,
                                                                                            std::string_view site) = 0;
};

}  // namespace viewcount
