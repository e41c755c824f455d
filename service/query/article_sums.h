// Reads exact sums over windows, or over articles.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "service/model/window.h"
#include "service/query/count_reader.h"
#include "service/sites/site.h"

namespace viewcount {

// Used on the store's executor. Returns the views of each article in all windows together, stored and pending ones.
// Each sum is exact at the moment when it is read. No view may lie in two of the windows; aliases are not resolved.
// `articles` are IDs. UNAVAILABLE with RetryInfo while the store is unreachable.
boost::asio::awaitable<absl::StatusOr<std::vector<int64_t>>> ReadArticleSums(CountReader& counts,
                                                                             std::shared_ptr<const Site> site,
                                                                             std::vector<Window> windows,
                                                                             std::vector<std::string> articles);
// Returns the views of all articles together, in each window. Otherwise like ReadArticleSums.
boost::asio::awaitable<absl::StatusOr<std::vector<int64_t>>> ReadWindowSums(CountReader& counts,
                                                                            std::shared_ptr<const Site> site,
                                                                            std::vector<Window> windows,
                                                                            std::vector<std::string> articles);

}  // namespace viewcount
