// The interface of a store of annotations.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <string_view>

#include "service/base/identifiers.h"

namespace viewcount {

// Holds texts of a site by ID. Threads and errors are those of CountStore, without ABORTED. Every write may be repeated
// after an error. `shard` must always be the same for a site.
class AnnotationStore {
 public:
  virtual ~AnnotationStore() = default;

  // Returns all texts of the site by ID.
  virtual boost::asio::awaitable<absl::StatusOr<std::map<std::string, std::string>>> ReadAnnotations(
      Shard shard, std::string_view site) = 0;
  // Writes a text, and replaces an earlier one of the same ID.
  virtual boost::asio::awaitable<absl::Status> WriteAnnotation(Shard shard, std::string_view site, std::string_view id,
                                                               std::string_view text) = 0;
  // Returns whether there was a text of that ID.
  virtual boost::asio::awaitable<absl::StatusOr<bool>> RemoveAnnotation(Shard shard, std::string_view site,
                                                                        std::string_view id) = 0;
};

}  // namespace viewcount
