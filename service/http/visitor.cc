#include "service/http/visitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "service/visitors/request_purpose.h"
#include "service/visitors/viewer_hash.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::address;

bool AsksAhead(const HttpFields& fields) {
  return std::ranges::any_of(kPurposeFields, [&](std::string_view name) {
    const auto list = ListOf(fields, name);
    return list && IsBeforeView(name, *list);
  });
}

std::optional<address> AddressOf(const Client& client) {
  if (!client.known) return std::nullopt;
  return client.address;
}

}  // namespace

absl::Status CheckSession(const Site& site, std::string_view session) {
  if (session.empty() || site.settings.session_viewers) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format(
      "session: site {0} does not let pages distinguish viewers: viewcount site put {0} --session-viewers", site.name));
}

Visitor VisitorFinder::Find(const HttpFields& fields, const Client& client, const Site& site,
                            std::string_view session) {
  const ViewerTraits traits{.languages = fields[http::field::accept_language],
                            .brands = fields["Sec-CH-UA"],
                            .mobile = fields["Sec-CH-UA-Mobile"],
                            .platform = fields["Sec-CH-UA-Platform"],
                            .session = session};
  Visitor visitor = client.trusted_backend ? OfBackend(fields, site, session)
                                           : Of(site, AddressOf(client), fields[http::field::user_agent], traits);
  if (AsksAhead(fields)) visitor.rejected = RejectReason::kPrefetch;
  return visitor;
}

Visitor VisitorFinder::Find(const Beacon& beacon, const Client& client, const Site& site) {
  if (client.trusted_backend) return {};
  return Of(site, AddressOf(client), beacon.agent, beacon.traits);
}

Visitor VisitorFinder::OfBackend(const HttpFields& fields, const Site& site, std::string_view session) {
  const auto named = ListOf(fields, kVisitorAddressField);
  return Of(site, named ? parts_.trust.FindNamed(*named) : std::nullopt, fields[kVisitorAgentField],
            {.session = session});
}

Visitor VisitorFinder::Of(const Site& site, const std::optional<address>& from, std::string_view agent,
                          const ViewerTraits& traits) {
  const auto own_verdict = site.agents.IsBot(agent);
  Visitor visitor{.bot = own_verdict ? *own_verdict : verdicts_.IsBot(agent)};
  if (!from) return visitor;
  if (site.excluded.Contains(*from)) visitor.rejected = RejectReason::kExcluded;
  const auto salts = parts_.salts.At(site, parts_.clock.UnixMillis());
  if (salts.present.IsNone()) return visitor;
  visitor.viewer = ViewerHash(salts.present, site.name, *from, agent, traits);
  if (!salts.before.IsNone()) visitor.previous_viewer = ViewerHash(salts.before, site.name, *from, agent, traits);
  return visitor;
}

}  // namespace viewcount
