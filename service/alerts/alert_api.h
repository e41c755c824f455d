// Answers the requests of AdminService for alerts as messages, independently of the transport.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "service/alerts/alert_checker.h"
#include "service/alerts/alert_reader.h"
#include "service/base/clock.h"
#include "service/sites/site_directory.h"
#include "service/store/alert_store.h"
#include "viewcount/v1/alerts.pb.h"

namespace viewcount {

// Used on the store's executor. Request and response must outlive the call. Errors are those of admin.proto. The
// objects that it refers to must outlive it.
class AlertApi {
 public:
  struct Dependencies {
    const SiteDirectory& sites;
    AlertStore& store;
    AlertReader& reader;
    AlertChecker& checker;
    const Clock& clock;
    // The addresses that are not public and that webhooks may have all the same.
    AddressRanges private_addresses = {};
  };
  AlertApi(boost::asio::any_io_executor executor, Dependencies parts)
      : executor_(std::move(executor)), parts_(std::move(parts)) {}

  boost::asio::awaitable<absl::Status> Put(const v1::PutAlertRequest& request, v1::PutAlertResponse& response);
  boost::asio::awaitable<absl::Status> List(const v1::ListAlertsRequest& request, v1::ListAlertsResponse& response);
  boost::asio::awaitable<absl::Status> Delete(const v1::DeleteAlertRequest& request);
  boost::asio::awaitable<absl::Status> Test(const v1::TestAlertRequest& request, v1::TestAlertResponse& response);

 private:
  // Puts an alert. Returns false if another call, perhaps to another instance, changed it meanwhile.
  boost::asio::awaitable<absl::StatusOr<bool>> TryPut(std::shared_ptr<const Site> site,
                                                      const v1::PutAlertRequest& request,
                                                      v1::PutAlertResponse& response);
  // Fills what the alert's condition sees at present, as far as that can be read.
  boost::asio::awaitable<void> FillPresent(std::shared_ptr<const Site> site, const v1::Alert& alert,
                                           v1::PutAlertResponse& response);

  const boost::asio::any_io_executor executor_;
  const Dependencies parts_;
};

}  // namespace viewcount
