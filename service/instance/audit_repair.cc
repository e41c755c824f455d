#include "service/instance/audit_repair.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>

namespace viewcount {
namespace asio = boost::asio;

asio::awaitable<absl::Status> RepairAudit(const Audit& audit, const v1::Provenance& provenance,
                                          const SiteDirectory& sites, Adjuster& adjuster, RedisStore& store) {
  StoreRepairs repairs = audit.store.repairs;
  repairs.totals.insert(repairs.totals.end(), audit.repairs.begin(), audit.repairs.end());
  if (repairs.empty()) co_return absl::OkStatus();
  std::string description = fmt::format("audit repair: {} totals booked, {} rankings made again", repairs.totals.size(),
                                        repairs.rankings.size());
  for (const TotalsRepair& repair : repairs.totals) {
    if (description.size() > 2'000) {
      description += "; and more, see the log";
      break;
    }
    description += fmt::format("; shard {:02} {} {:+}", repair.shard.value, repair.field, repair.add);
  }
  for (const auto& site : sites.All()) {
    auto status = co_await adjuster.Note(site->name, provenance, description);
    if (!status.ok()) co_return status;
  }
  const absl::Status status = co_await store.Repair(repairs);
  if (!status.ok()) co_return status;
  for (const TotalsRepair& repair : repairs.totals) {
    spdlog::warn("audit repair by {}: shard {:02} {} {:+}", provenance.who(), repair.shard.value, repair.field,
                 repair.add);
  }
  co_return absl::OkStatus();
}

}  // namespace viewcount
