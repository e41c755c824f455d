// Reads all adjustments of a site, those in the store and those that are not flushed yet.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/lane/adjustment.h"
#include "service/lane/ledger.h"
#include "service/query/count_reader.h"
#include "service/sites/site.h"
#include "service/store/count_store.h"

namespace viewcount {

// The adjustments of a site at one moment. A value type, immutable after construction.
class AdjustmentLog {
 public:
  // `notes` are the texts of the notes by name; names sort by time. A note that this service did not write is left out
  // and logged.
  explicit AdjustmentLog(const std::map<std::string, std::string>& notes);

  // Returns the adjustments by name, oldest first.
  const std::map<std::string, Adjustment>& adjustments() const { return adjustments_; }
  // Returns the adjustment with this ID, or null if there is none.
  const Adjustment* Find(std::string_view adjustment_id) const;
  // Returns whether an undo of the adjustment is in force, that is, not undone itself.
  bool IsUndone(const std::string& adjustment_id) const;

 private:
  std::map<std::string, Adjustment> adjustments_;
  // The IDs of the undos of each adjustment, by the adjustment's ID. At most one undo of an adjustment is in force.
  std::map<std::string, std::vector<std::string>> undoes_;
};

// Reads the log of a site. The ledgers are read first, so notes that they flush meanwhile are found in the store.
// `counts` shows whether the store is as new as the last flush. Returns UNAVAILABLE with RetryInfo if it is older or
// away.
boost::asio::awaitable<absl::StatusOr<AdjustmentLog>> ReadAdjustments(CountStore& store, CountReader& counts,
                                                                      const std::vector<Ledger*>& ledgers,
                                                                      std::shared_ptr<const Site> site);

}  // namespace viewcount
