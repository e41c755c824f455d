// Implements Server::Reload: applies the settings that a running service can change.
#include <spdlog/spdlog.h>

#include <utility>

#include "service/base/log.h"
#include "service/server/server.h"

namespace viewcount {

void Server::Reload(const Config& fresh) {
  SetLogLevel(fresh.log_level);
  lanes_->SetJournalLimits(fresh.journal_budget_bytes, fresh.journal_retention);
  Config usable = fresh;
  if (fresh.tls_cert.empty() != config_.tls_cert.empty()) {
    spdlog::warn("tls-cert takes effect at the next start: a port cannot change between HTTP and HTTPS");
    usable.tls_cert = config_.tls_cert;
    usable.tls_key = config_.tls_key;
  }
  for (HttpPort* const port : {http_.get(), backend_http_.get()}) {
    if (port != nullptr) port->Reload(usable);
  }
  config_ = std::move(usable);
}

}  // namespace viewcount
