// Whose view a request brings: whether anybody looks, whether it is a bot, and which viewer of the day.
#pragma once

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

// The fields in which a trusted backend passes on its visitor's address, alone or as a list as in X-Forwarded-For, and
// user agent.
inline constexpr std::string_view kVisitorAddressField = "X-Viewcount-Visitor-Address";
inline constexpr std::string_view kVisitorAgentField = "X-Viewcount-Visitor-Agent";

struct Visitor {
  // Why the view does not count, if so: a browser asks ahead (kPrefetch), and if somebody looks after all it will ask
  // again or report by itself; or the site does not count views of this address (kExcluded).
  std::optional<RejectReason> rejected = {};
  bool bot = false;
  // See ViewerHash; 0 if it is not known.
  uint64_t viewer = 0;
  // Under the salt of the day before; 0 except in a day's first limits::kVisitPause.
  uint64_t previous_viewer = 0;

  bool operator==(const Visitor&) const = default;
};

// On one server's thread. Keeps no address and no agent.
class VisitorFinder {
 public:
  struct Parts {
    const ClientTrust& trust;
    const BotPatterns& bots;
    ViewerSalts& salts;
    const Clock& clock;
  };
  // What `parts` refers to must outlive it.
  explicit VisitorFinder(const Parts& parts) : parts_(parts), verdicts_(parts.bots) {}

  // Of a browser: by its address and its User-Agent. Of a trusted backend: by what it passes on of its visitor; if that
  // is nothing it is nobody's view, and not a bot's, whatever the backend calls itself. `client` is that of the fields.
  Visitor Find(const HttpFields& fields, const Client& client, const Site& site);
  // The same of a beacon, which has none of the fields that tell more.
  Visitor Find(const Beacon& beacon, const Client& client, const Site& site);

 private:
  Visitor Of(const Site& site, const std::optional<boost::asio::ip::address>& address, std::string_view agent);
  Visitor OfBackend(const HttpFields& fields, const Site& site);

  const Parts parts_;
  BotVerdicts verdicts_;
};

}  // namespace viewcount
