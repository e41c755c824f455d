// The interface of a store of claims of imports, which instances share.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

// Threads and errors are those of CountStore, without ABORTED. Every call may be repeated after an error.
class ImportStore {
 public:
  virtual ~ImportStore() = default;

  // Replaces the claim of an import by `claim` in one atomic step, if it is `expected`. An empty text is no claim;
  // `claim` must be one. Returns the claim in force: `claim`, or the other one that was there. `shard` must always be
  // the same for a site.
  virtual boost::asio::awaitable<absl::StatusOr<std::string>> ClaimImport(Shard shard, std::string_view site,
                                                                          std::string_view import_id,
                                                                          std::string_view expected,
                                                                          std::string_view claim) = 0;
};

}  // namespace viewcount
