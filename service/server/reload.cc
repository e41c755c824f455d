// Implements Server::Reload: applies the settings that a running service can change.
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "service/base/address_ranges.h"
#include "service/base/log.h"
#include "service/base/status.h"
#include "service/server/server.h"

namespace viewcount {

void Server::Reload(const Config& fresh) {
  SetLogLevel(fresh.log_level);
  lanes_->SetJournalLimits(fresh.journal_budget_bytes, fresh.journal_retention);
  // Both were checked when the configuration was read. They are changed on the HTTP thread, because only that thread
  // uses them.
  auto proxies = *AddressRanges::Parse(fresh.trusted_proxies);
  auto backends = *AddressRanges::Parse(fresh.trusted_backends);
  boost::asio::post(http_->executor(),
                    [this, proxies = std::move(proxies), backends = std::move(backends),
                     views = fresh.address_views_per_second, articles = fresh.new_articles_per_minute]() mutable {
                      trust_->Set(std::move(proxies), std::move(backends));
                      admission_->SetLimits(views, articles);
                    });
  Config usable = fresh;
  if (fresh.tls_cert.empty() != config_.tls_cert.empty()) {
    spdlog::warn("tls-cert takes effect at the next start: a port cannot change between HTTP and HTTPS");
    usable.tls_cert = config_.tls_cert;
    usable.tls_key = config_.tls_key;
  }
  auto access = AccessBy(usable);
  if (access.ok()) {
    http_->SetAccess(*std::move(access));
  } else {
    spdlog::error("the certificate stays as it was: {}", ToStd(access.status().message()));
  }
  config_ = std::move(usable);
}

}  // namespace viewcount
