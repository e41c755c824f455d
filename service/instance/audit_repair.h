// Books the repairs of an audit, with their provenance: the author and the reason.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>

#include "service/adjustments/adjuster.h"
#include "service/instance/audit.h"
#include "service/sites/site_directory.h"
#include "service/store/redis/redis_store.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// Notes the repair among the adjustments of every site, then makes the store's totals and rankings agree. No count
// changes. Runs on the store's executor.
//
// Errors: INVALID_ARGUMENT, which names the field of `provenance`; those of the store; those of the adjuster. After an
// error a part of the repair may be done, and another audit shows the rest.
boost::asio::awaitable<absl::Status> RepairAudit(const Audit& audit, const v1::Provenance& provenance,
                                                 const SiteDirectory& sites, Adjuster& adjuster, RedisStore& store);

}  // namespace viewcount
