// The interface of a store of alerts: their settings, and the states that instances share.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/awaitable.hpp>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace viewcount {

// The names of an alert's site and of the alert, in this order. Neither contains a slash.
using AlertKey = std::pair<std::string, std::string>;

struct StoredAlert {
  // Empty for a state whose alert was deleted.
  std::string settings;
  // Empty for an alert without a state.
  std::string state;
};

// Threads and errors are those of CountStore, without ABORTED. Every write may be repeated after an error.
class AlertStore {
 public:
  virtual ~AlertStore() = default;

  // Returns all alerts, and states that are left over.
  virtual boost::asio::awaitable<absl::StatusOr<std::map<AlertKey, StoredAlert>>> ReadAlerts() = 0;
  // Replaces the settings of an alert by `next` in one atomic step, if they are `expected`. Returns whether they were.
  // An empty text is no alert; `next` must be one. The state stays as it is.
  virtual boost::asio::awaitable<absl::StatusOr<bool>> SwapAlert(const AlertKey& key, std::string_view expected,
                                                                 std::string_view next) = 0;
  // Removes an alert and its state. Returns true if there was an alert.
  virtual boost::asio::awaitable<absl::StatusOr<bool>> RemoveAlert(const AlertKey& key) = 0;
  // Removes a state that is left over.
  virtual boost::asio::awaitable<absl::Status> RemoveAlertState(const AlertKey& key) = 0;
  // Replaces the state by `next` in one atomic step, if it is `expected`. Returns whether it was. An empty text is no
  // state; `next` must be one.
  virtual boost::asio::awaitable<absl::StatusOr<bool>> SwapAlertState(const AlertKey& key, std::string_view expected,
                                                                      std::string_view next) = 0;
};

}  // namespace viewcount
