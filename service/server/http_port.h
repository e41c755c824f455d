// An address on which the HTTP interface is served: the public one, or the one of the portal's own servers. Each has
// its own thread, and its own rule for whom it trusts.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "service/articles/article_catalog.h"
#include "service/base/clock.h"
#include "service/base/log_throttle.h"
#include "service/config/config.h"
#include "service/http/browser_admission.h"
#include "service/http/client_trust.h"
#include "service/http/page_announcements.h"
#include "service/http/router.h"
#include "service/http/server.h"
#include "service/http/site_routes.h"
#include "service/http/visitor.h"
#include "service/ingest/ingestor.h"
#include "service/metrics/metrics.h"
#include "service/query/count_export.h"
#include "service/query/count_reader.h"
#include "service/query/count_watcher.h"
#include "service/query/list_api.h"
#include "service/query/online_readers.h"
#include "service/query/query_api.h"
#include "service/query/site_stats_reader.h"
#include "service/sites/site_directory.h"
#include "service/visitors/bot_patterns.h"
#include "service/visitors/viewer_salts.h"

namespace viewcount {

// Used by the main thread only. Its handlers run on its own thread.
class HttpPort {
 public:
  enum class Audience : uint8_t { kPublic, kBackends };

  // All of them outlive the port, and may be used by several ports at once.
  struct Dependencies {
    const SiteDirectory& sites;
    Ingestor& ingestor;
    QueryApi& queries;
    ListApi& lists;
    CountReader& counts;
    CountWatcher& watcher;
    SiteStatsReader& stats;
    OnlineReaders& online;
    ArticleCatalog& catalog;
    CountExporter& exporter;
    const BotPatterns& bots;
    ViewerSalts& salts;
    boost::asio::any_io_executor store;
    const Clock& clock;
    Metrics& metrics;
  };

  HttpPort(const Dependencies& parts, Audience audience, const Config& config);

  // Listens on `address` and serves at most `connections_max` connections. Returns why it cannot, with the name of the
  // setting that is concerned. Must be called once.
  absl::Status Start(const Config& config, size_t connections_max);
  // Applies those settings that a running port can change. `config` is valid.
  void Reload(const Config& config);

  // The address with the port that it listens on.
  const std::string& address() const { return address_; }
  // The server, to be stopped before the dependencies are destroyed. Null before Start.
  HttpServer* server() { return server_.get(); }

 private:
  // Returns the name of the setting with the address.
  const char* Setting() const;
  ClientTrust::Options TrustOf(const Config& config);
  absl::StatusOr<HttpAccess> AccessOf(const Config& config) const;
  HttpServer::Observer Observer();
  void AddRoutes();

  const Dependencies parts_;
  const Audience audience_;
  // True if the port serves HTTPS itself.
  const bool tls_;
  ClientTrust trust_;
  VisitorFinder visitors_;
  BrowserAdmission admission_;
  PageAnnouncements pages_;
  HttpRouter router_;
  SiteRoutes routes_;
  LogThrottle unnamed_lines_;
  std::string address_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace viewcount
