// Determines whose view a request is: whether a person views the page, whether it is a bot, and which viewer of the
// day.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "service/base/clock.h"
#include "service/http/beacon.h"
#include "service/http/client_trust.h"
#include "service/http/router.h"
#include "service/metrics/metrics.h"
#include "service/sites/site.h"
#include "service/visitors/bot_patterns.h"
#include "service/visitors/bot_verdicts.h"
#include "service/visitors/viewer_salts.h"

namespace viewcount {

// The fields in which a trusted backend passes on its visitor's address and user agent. The address may also be a list
// as in X-Forwarded-For.
inline constexpr std::string_view kVisitorAddressField = "X-Viewcount-Visitor-Address";
inline constexpr std::string_view kVisitorAgentField = "X-Viewcount-Visitor-Agent";

// The visitor whose view a request is. A value type.
struct Visitor {
  // The reason why the view does not count, if there is one. kPrefetch: the browser fetches the page ahead. If a person
  // views it later, the browser requests it again or sends a report itself. kExcluded: the site does not count views of
  // this address.
  std::optional<RejectReason> rejected = {};
  bool bot = false;
  // See ViewerHash. 0 if unknown.
  uint64_t viewer = 0;
  // The viewer under the salt of the day before. 0 except during the first limits::kVisitPause of a day.
  uint64_t previous_viewer = 0;

  bool operator==(const Visitor&) const = default;
};

// Returns PERMISSION_DENIED, with the remedy, if a request has a `session` although the site does not let pages
// distinguish viewers. Pure function; thread-safe.
absl::Status CheckSession(const Site& site, std::string_view session);

// Not thread-safe: used by one server's thread only. Stores no address and no user agent.
class VisitorFinder {
 public:
  struct Dependencies {
    const ClientTrust& trust;
    const BotPatterns& bots;
    ViewerSalts& salts;
    const Clock& clock;
  };
  // All objects that `parts` refers to must outlive the finder.
  explicit VisitorFinder(const Dependencies& parts) : parts_(parts), verdicts_(parts.bots) {}

  // Returns the visitor of a request. A browser's visitor follows from its address, User-Agent and traits. A trusted
  // backend's visitor follows from what the backend passes on. If it passes on nothing, the view has no viewer and is
  // not a bot's, whatever the backend's own User-Agent is. `client` must be the client of the same fields. `session` is
  // the number that the page keeps for one visit, empty if it has none.
  Visitor Find(const HttpFields& fields, const Client& client, const Site& site, std::string_view session = {});
  // Like the function above, for a beacon. Beacons have none of the additional fields.
  Visitor Find(const Beacon& beacon, const Client& client, const Site& site);

 private:
  Visitor Of(const Site& site, const std::optional<boost::asio::ip::address>& address, std::string_view agent,
             const ViewerTraits& traits);
  Visitor OfBackend(const HttpFields& fields, const Site& site, std::string_view session);

  const Dependencies parts_;
  BotVerdicts verdicts_;
};

}  // namespace viewcount
