// The rules for routes that only the portal's own programs may read: those for existing clients, and for Grafana.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string_view>

#include "service/base/clock.h"
#include "service/http/client_trust.h"
#include "service/http/own_pages.h"
#include "service/http/reader_turns.h"
#include "service/http/router.h"
#include "service/query/list_api.h"
#include "service/query/query_api.h"
#include "service/sites/site_directory.h"

namespace viewcount {

// The parts that these routes use. A value type. Everything that it refers to must outlive the server.
struct ReaderParts {
  const SiteDirectory& sites;
  QueryApi& queries;
  ListApi& lists;
  // The rule for the address of backends. Null for the admin address, whose readers see all numbers of all sites.
  const ClientTrust* trust = nullptr;
  // The rule for the admin address. Null for none.
  const OwnPages* own_pages = nullptr;
  // The executor of the store, on which `queries` and `lists` run.
  boost::asio::any_io_executor store;
  const Clock& clock;
  // Shared by all routes of an address.
  std::shared_ptr<ReaderTurns> turns = std::make_shared<ReaderTurns>();
};

// Returns whether a page of another site made a browser send this. See https://www.w3.org/TR/fetch-metadata/
// Thread-safe.
bool IsFromAnotherSite(const HttpRequest& request);

// Returns OK if the sender may read `what`, a plural. Otherwise returns PERMISSION_DENIED, and the message names the
// address that answers. Runs on the server's thread.
absl::Status CheckReader(const HttpRequest& request, const ReaderParts& parts, std::string_view what);

}  // namespace viewcount
