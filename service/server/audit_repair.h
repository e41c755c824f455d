// Books what an audit found, with who and why.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>

#include "service/adjustments/adjuster.h"
#include "service/server/audit.h"
#include "service/sites/site_directory.h"
#include "service/store/redis/redis_store.h"
#include "viewcount/v1/admin.pb.h"

namespace viewcount {

// Notes the repair among the adjustments of every site, then makes the store's totals and rankings agree; no count
// changes. On the store's executor. INVALID_ARGUMENT naming the field of `provenance`, the store's errors, or the
// adjuster's; after an error some of it may be done, and another audit shows what is left.
boost::asio::awaitable<absl::Status> RepairAudit(const Audit& audit, const v1::Provenance& provenance,
                                                 const SiteDirectory& sites, Adjuster& adjuster, RedisStore& store);

}  // namespace viewcount
