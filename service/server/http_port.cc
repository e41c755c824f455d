#include "service/server/http_port.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <memory>
#include <utility>

#include "service/base/address.h"
#include "service/base/address_ranges.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/http/aqs_routes.h"
#include "service/http/beacon_route.h"
#include "service/http/dashboard_routes.h"
#include "service/http/embed_routes.h"
#include "service/http/export_routes.h"
#include "service/http/file_routes.h"
#include "service/http/grafana_routes.h"
#include "service/http/list_routes.h"
#include "service/http/live_routes.h"
#include "service/http/page_routes.h"
#include "service/http/query_routes.h"
#include "service/http/tls.h"
#include "service/http/view_routes.h"
#include "service/server/setting_error.h"

namespace viewcount {
namespace {

constexpr std::chrono::minutes kUnnamedLinesInterval{1};
// One for the public and one for backends.
constexpr int kPortsMax = 2;

}  // namespace

HttpPort::HttpPort(const Dependencies& parts, Audience audience, const Config& config)
    : parts_(parts),
      audience_(audience),
      tls_(audience == Audience::kPublic && !config.tls_cert.empty()),
      trust_(TrustOf(config)),
      visitors_({trust_, parts.bots, parts.salts, parts.clock}),
      admission_({.counts = parts.counts,
                  .catalog = parts.catalog,
                  .store = parts.store,
                  .clock = parts.clock,
                  .views_per_second = config.address_views_per_second,
                  .articles_per_minute = config.new_articles_per_minute}),
      pages_(parts.catalog, parts.store, parts.clock),
      routes_(router_, parts.sites),
      unnamed_lines_(kUnnamedLinesInterval) {
  AddRoutes();
}

void HttpPort::AddRoutes() {
  AddViewRoutes(routes_, parts_.ingestor, trust_, visitors_, admission_, FirstCountsOf(parts_.watcher, parts_.store),
                &pages_);
  if (audience_ == Audience::kPublic) {
    router_.AddFastPath(MakeBeaconRoute(parts_.sites, parts_.ingestor, trust_, visitors_, admission_, &pages_));
  }
  AddQueryRoutes(routes_, parts_.queries, trust_, parts_.store);
  AddListRoutes(routes_, parts_.lists, trust_, parts_.store, tls_);
  AddEmbedRoutes(router_, routes_, parts_.sites);
  AddExportRoutes(routes_, parts_.exporter, trust_, parts_.store, parts_.clock);
  AddNumberRoutes(routes_, parts_.queries, parts_.stats, parts_.store);
  AddLiveRoutes(routes_, {parts_.watcher, trust_, visitors_, parts_.online, parts_.store});
  AddPageRoutes(routes_, pages_, trust_, admission_);
  AddPublicDashboard(routes_);
  AddArticleRoute(routes_, parts_.catalog, parts_.store, ArticleReaders::kPublic);
  AddFileRoutes(router_);
  if (audience_ == Audience::kPublic) return;
  const ReaderParts readers{.sites = parts_.sites,
                            .queries = parts_.queries,
                            .lists = parts_.lists,
                            .trust = &trust_,
                            .store = parts_.store,
                            .clock = parts_.clock};
  AddAqsRoutes(router_, readers);
  AddGrafanaRoutes(router_, readers);
}

const char* HttpPort::Setting() const {
  return audience_ == Audience::kPublic ? "--http-address" : "--backend-address";
}

absl::Status HttpPort::Start(const Config& config, size_t connections_max) {
  const std::string& wanted = audience_ == Audience::kPublic ? config.http_address : config.backend_address;
  if (audience_ == Audience::kPublic && !config.demo_dir.empty()) {
    if (auto status = AddDemoRoutes(router_, config.demo_dir); !status.ok()) return SettingError("--demo-dir", status);
  }
  auto access = AccessOf(config);
  if (!access.ok()) return access.status();
  const bool is_public = audience_ == Audience::kPublic;
  const HttpLimits server_limits{
      .connections_max = connections_max,
      .connections_per_address_max = is_public ? limits::kPublicConnectionsPerAddressMax : connections_max,
      .drain_idle_timeout = limits::kStopHttpIdleWait,
      // A stop drains one port after the other.
      .drain_timeout = limits::kStopHttpWait / kPortsMax};
  server_ = std::make_unique<HttpServer>(router_, server_limits, *std::move(access), Observer());
  if (auto status = server_->Start(wanted); !status.ok()) return SettingError(Setting(), status);
  address_ = HostPort{ParseHostPort(wanted)->host, server_->port()}.ToString();
  return absl::OkStatus();
}

void HttpPort::Reload(const Config& config) {
  // The server's thread alone uses the rule and the limits.
  boost::asio::post(server_->executor(), [this, trust = TrustOf(config), views = config.address_views_per_second,
                                          articles = config.new_articles_per_minute]() mutable {
    trust_.Set(std::move(trust));
    admission_.SetLimits(views, articles);
  });
  auto access = AccessOf(config);
  if (access.ok()) {
    server_->SetAccess(*std::move(access));
  } else {
    spdlog::error("the certificate stays as it was: {}", ToStd(access.status().message()));
  }
}

ClientTrust::Options HttpPort::TrustOf(const Config& config) {
  // The ranges were checked when the configuration was read.
  return {.proxies = *AddressRanges::Parse(config.trusted_proxies),
          .backends = *AddressRanges::Parse(config.trusted_backends),
          .header = config.client_address_header,
          .is_private = audience_ == Audience::kBackends,
          .unnamed = [this, header = config.client_address_header](const boost::asio::ip::address& proxy) {
            parts_.metrics.http_unnamed_clients.Increment();
            if (audience_ != Audience::kPublic || !unnamed_lines_.Take()) return;
            spdlog::warn(
                "views from {}, one of --trusted-proxies, have no {} that names an address: their visitors cannot be "
                "distinguished; set the header in the proxy",
                proxy.to_string(), header);
          }};
}

absl::StatusOr<HttpAccess> HttpPort::AccessOf(const Config& config) const {
  HttpAccess access{.tls = nullptr, .shared = *AddressRanges::Parse(config.trusted_proxies)};
  if (audience_ != Audience::kPublic || config.tls_cert.empty()) return access;
  auto tls = LoadTls(config.tls_cert, config.tls_key);
  if (!tls.ok()) return tls.status();
  access.tls = *std::move(tls);
  return access;
}

HttpServer::Observer HttpPort::Observer() {
  if (audience_ != Audience::kPublic) return {};
  return {.open = [this](size_t open) { parts_.metrics.http_connections.Set(static_cast<double>(open)); },
          .refused =
              [this](HttpServer::Refusal refusal) {
                const bool in_all = refusal == HttpServer::Refusal::kInAll;
                parts_.metrics.ConnectionRefused(in_all ? ConnectionRefusal::kInAll : ConnectionRefusal::kPerAddress)
                    .Increment();
              }};
}

}  // namespace viewcount
