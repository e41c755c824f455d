#include "service/lane/replay.h"

#include <fmt/format.h>

#include <utility>

#include "service/base/planted_bug.h"
#include "service/base/status.h"
#include "service/model/decoder.h"

namespace viewcount {

absl::Status Replay::Run(Position from, Position to) {
  auto reader = JournalReader::Open(source_.disk, source_.folder, source_.lane, from, to);
  if (!reader.ok()) return reader.status();
  Record record;
  while (true) {
    const auto more = reader->Next(record);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    if (auto status = Handle(record); !status.ok()) {
      return {status.code(), fmt::format("{}, record from {} to {}: {}", source_.folder, record.begin.value,
                                         record.end.value, ToStd(status.message()))};
    }
  }
}

absl::Status Replay::Handle(const Record& record) {
  if (handlers_.record) {
    if (auto status = handlers_.record(record); !status.ok()) return status;
  }
  switch (record.type) {
    case RecordType::kViews:
      return HandleViews(record);
    case RecordType::kAdjustment:
      return HandleAdjustment(record);
    case RecordType::kSite:
      return HandleSite(record);
    case RecordType::kTotals: {
      const auto totals = ParseTotals(record.payload);
      if (!totals.ok()) return totals.status();
      if (handlers_.totals) handlers_.totals(*totals);
      return absl::OkStatus();
    }
    default:
      return absl::DataLossError(fmt::format("its type {} is not known", static_cast<int>(record.type)));
  }
}

absl::Status Replay::HandleViews(const Record& record) {
  if (!handlers_.views) return absl::OkStatus();
  const auto payload = ParseViewsPayload(record.payload);
  if (!payload.ok()) return payload.status();
  const int64_t receipt_unix_ms = payload->head.receipt_unix_ms;
  // A request that was valid once must stay valid for ever: a later version may accept more, never less.
  if (auto status = DecodeViewsRequest(payload->request, receipt_unix_ms, request_); !status.ok()) {
    return absl::DataLossError(status.message());
  }
  ViewsHead head = payload->head;
  if (Planted(PlantedBug::kDecideVisitsAnew)) head.visits = {};
  if (Planted(PlantedBug::kDecideCoolDownsAnew)) head.cool_downs = {};
  if (auto status = ApplyDecisions(head, request_.views); !status.ok()) return status;
  const auto site = KnownSite(request_.site);
  if (!site.ok()) return site.status();
  handlers_.views(record, {*site, receipt_unix_ms, request_}, folding_);
  return absl::OkStatus();
}

absl::Status Replay::HandleAdjustment(const Record& record) {
  if (!handlers_.adjustment) return absl::OkStatus();
  const auto adjustment = ParseAdjustment(record.payload);
  if (!adjustment.ok()) return adjustment.status();
  const auto site = KnownSite(adjustment->message.site());
  if (!site.ok()) return site.status();
  handlers_.adjustment(record, *site, *adjustment, folding_);
  return absl::OkStatus();
}

absl::StatusOr<SiteIndex> Replay::KnownSite(std::string_view name) const {
  const auto site = source_.sites.Find(name);
  if (site != nullptr && folding_.Find(site->index) != nullptr) return site->index;
  return absl::DataLossError(fmt::format("it is of site \"{}\", whose settings do not stand before it", name));
}

absl::Status Replay::HandleSite(const Record& record) {
  auto site = ParseSite(record.payload);
  if (!site.ok()) return site.status();
  const auto known = source_.sites.Find(site->name);
  // A site that the directory knew before keeps its settings, but it gets the journaled aliases, which must not be
  // forgotten. A site that only this journal knows gets its newest settings.
  Site put = *site;
  if (known == nullptr) {
    added_.insert(site->name);
  } else if (!added_.contains(site->name)) {
    put = *known;
    put.aliases = site->aliases;
  }
  if (auto done = source_.sites.Put(std::move(put)); !done.ok()) return done.status();
  site->index = source_.sites.Find(site->name)->index;
  if (Planted(PlantedBug::kFoldWithNewSettings)) *site = *source_.sites.Find(site->name);
  folding_.ApplySite(std::make_shared<const Site>(*std::move(site)));
  return absl::OkStatus();
}

}  // namespace viewcount
