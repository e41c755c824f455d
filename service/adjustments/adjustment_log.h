// Every adjustment that a site ever had, from the store and from what is not flushed yet.
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

// Of one moment; a value.
class AdjustmentLog {
 public:
  // Texts of the notes by their names, which sort by time. A note that nobody of us wrote is left out, and logged.
  explicit AdjustmentLog(const std::map<std::string, std::string>& notes);

  // By name, oldest first.
  const std::map<std::string, Adjustment>& adjustments() const { return adjustments_; }
  // Null if there is none.
  const Adjustment* Find(std::string_view adjustment_id) const;
  // Whether an undo of it is in force, that is, not undone itself.
  bool IsUndone(const std::string& adjustment_id) const;

 private:
  std::map<std::string, Adjustment> adjustments_;
  // By ID of an adjustment, the IDs of what took it back: at most one of them is in force.
  std::map<std::string, std::vector<std::string>> undoes_;
};

// Reads the log of a site. The ledgers are asked first: what they flush meanwhile is then found in the store. `counts`
// tells whether that is as new as what was flushed to it: UNAVAILABLE with RetryInfo if not, or if it is away.
boost::asio::awaitable<absl::StatusOr<AdjustmentLog>> ReadAdjustments(CountStore& store, CountReader& counts,
                                                                      const std::vector<Ledger*>& ledgers,
                                                                      std::shared_ptr<const Site> site);

}  // namespace viewcount
