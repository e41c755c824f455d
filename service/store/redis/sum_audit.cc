#include "service/store/redis/sum_audit.h"

#include <fmt/format.h>

#include <utility>

#include "service/base/limits.h"
#include "service/store/redis/key_scan.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/lane_entry.h"
#include "service/store/redis/snapshot.h"
#include "service/store/redis/torn_shard.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

std::map<std::string, std::string> FieldsOf(const Reply& reply) {
  std::map<std::string, std::string> fields;
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) fields[reply.elements[i].text] = reply.elements[i + 1].text;
  return fields;
}

// Stores a number in the total that `kind` names. Returns false if there is no such total, or if the number is below
// zero where it cannot be.
bool Assign(std::string_view kind, int64_t number, LaneTotals& totals) {
  if (kind == "adjusted") {
    totals.adjusted = number;
    return true;
  }
  uint64_t* const place = kind == "views"       ? &totals.views
                          : kind == "set_aside" ? &totals.set_aside
                          : kind == "lost"      ? &totals.lost
                                                : nullptr;
  if (place == nullptr || number < 0) return false;
  *place = static_cast<uint64_t>(number);
  return true;
}

__int128 SumOf(const std::map<std::string, int64_t>& sums, const std::string& name) {
  const auto at = sums.find(name);
  return at == sums.end() ? 0 : __int128{at->second};
}

}  // namespace

void AddTotals(const LaneTotals& from, LaneTotals& to) {
  to.views += from.views;
  to.set_aside += from.set_aside;
  to.adjusted += from.adjusted;
  to.lost += from.lost;
}

asio::awaitable<absl::StatusOr<SumAudit::Found>> SumAudit::Run(const std::set<std::string>& names) {
  Found found;
  for (int attempt = 0; attempt < limits::kAuditAttemptsMax; ++attempt) {
    const auto snapshot = co_await Read(names);
    if (!snapshot.ok()) co_return snapshot.status();
    if (!*snapshot) continue;
    const Totals totals = ParseTotals((*snapshot)->totals, found);
    JudgeLanes(**snapshot, totals, found);
    JudgeTotals(**snapshot, totals, found);
    JudgeDays(**snapshot, totals, found);
    found.lanes = totals.lanes;
    found.retired = totals.retired;
    co_return found;
  }
  found.busy = true;
  co_return found;
}

std::set<std::string> SumAudit::Compared(const std::set<std::string>& names) const {
  std::set<std::string> compared;
  for (const std::string& name : names) {
    if (!HashName::Parse(name)->is_hour()) compared.insert(name);
  }
  for (const std::string& site : sites_) {
    compared.insert(site + ":all");
    compared.insert(site + ":bots");
  }
  std::erase_if(compared,
                [&](const std::string& name) { return unusable_.contains(HashName::Parse(name)->Key(shard_)); });
  return compared;
}

asio::awaitable<absl::StatusOr<std::optional<SumAudit::Snapshot>>> SumAudit::Read(const std::set<std::string>& names) {
  const std::set<std::string> compared = Compared(names);
  const std::vector<std::string> list(compared.begin(), compared.end());
  std::vector<std::string> hash_keys;
  for (const std::string& name : list) hash_keys.push_back(HashName::Parse(name)->Key(shard_));
  const std::string lanes_key = keys::Lanes(shard_);
  const std::string totals_key = keys::Totals(shard_);
  const RedisCommand read_lanes = {"HGETALL", lanes_key};
  const RedisCommand read_totals = {"HGETALL", totals_key};
  Snapshot snapshot;
  // Runs at least once, for the totals. Each step reads the lanes again, which show whether anything changed.
  for (size_t begin = 0; begin == 0 || begin < list.size(); begin += limits::kAuditStep) {
    std::vector<RedisCommand> commands = {read_lanes, read_totals};
    const size_t end = std::min(list.size(), begin + limits::kAuditStep);
    for (size_t i = begin; i < end; ++i) {
      const RedisCommand command = {"HGET", hash_keys[i], ""};
      commands.push_back(command);
    }
    const auto replies = co_await ReadTogether(connection_, commands);
    if (!replies.ok()) co_return replies.status();
    Fields lanes = FieldsOf((*replies)[0]);
    if (begin > 0 && lanes != snapshot.lanes) co_return std::nullopt;
    // The shard is torn. The next lane that flushes to it restores it.
    if (const auto undo = lanes.find(std::string(kUndoField)); undo != lanes.end() && !undo->second.empty()) {
      co_return std::nullopt;
    }
    snapshot.lanes = std::move(lanes);
    Fields totals = FieldsOf((*replies)[1]);
    // A day was removed between two steps.
    if (begin > 0 && totals != snapshot.totals) co_return std::nullopt;
    snapshot.totals = std::move(totals);
    // A sum that is not a count was reported with its hash.
    for (size_t i = begin; i < end; ++i) {
      const Reply& sum = (*replies)[2 + i - begin];
      snapshot.sums[list[i]] = CountOf(sum).value_or(0);
      if (sum.kind == Reply::Kind::kText) snapshot.present.insert(list[i]);
    }
  }
  co_return snapshot;
}

SumAudit::Totals SumAudit::ParseTotals(const Fields& fields, Found& found) const {
  Totals totals;
  for (const auto& [field, text] : fields) {
    const auto number = NumberOf({.kind = Reply::Kind::kText, .text = text});
    const size_t colon = field.find(':');
    const std::string owner = field.substr(0, colon);
    const std::string rest = colon == std::string::npos ? "" : field.substr(colon + 1);
    const auto lane = IdFromHex<LaneId>(owner);
    bool fits = number.ok();
    if (fits && lane) {
      fits = Assign(rest, *number, totals.lanes[*lane]);
    } else if (fits && owner == "retired") {
      fits = Assign(rest, *number, totals.retired);
    } else if (fits && owner == "apart") {
      totals.apart[rest] = *number;
    } else if (fits && owner == "gone") {
      totals.gone[rest] = *number;
    }
    if (!fits) {
      found.differences.push_back(fmt::format("{} holds \"{}\" for \"{}\", expected a number", keys::Totals(shard_),
                                              text.substr(0, 40), field));
    }
  }
  return totals;
}

void SumAudit::Propose(const std::string& field, Wide add, Found& found) const {
  constexpr Wide kMax{int64_t{1} << 53};
  if (add > -kMax && add < kMax) found.repairs.push_back({shard_, field, static_cast<int64_t>(add)});
}

void SumAudit::JudgeLanes(const Snapshot& snapshot, const Totals& totals, Found& found) const {
  const std::string key = keys::Lanes(shard_);
  for (const auto& [lane, entry] : snapshot.lanes) {
    if (lane == kUndoField || (IdFromHex<LaneId>(lane) && ParseLaneEntry(entry))) continue;
    found.differences.push_back(
        fmt::format("{} holds \"{}\" for \"{}\", expected a lane's cursor", key, entry.substr(0, 80), lane));
  }
  for (const auto& [lane, counted] : totals.lanes) {
    if (snapshot.lanes.contains(ToHex(lane)) || counted == LaneTotals()) continue;
    found.differences.push_back(fmt::format("{} holds nothing for lane {}, expected its cursor: {} has totals of it",
                                            key, ToHex(lane), keys::Totals(shard_)));
  }
}

void SumAudit::JudgeTotals(const Snapshot& snapshot, const Totals& totals, Found& found) const {
  LaneTotals all = totals.retired;
  for (const auto& [lane, counted] : totals.lanes) AddTotals(counted, all);
  const Wide expected = Wide{all.views} - all.set_aside + all.adjusted;
  Wide sums = 0;
  for (const auto& [name, sum] : snapshot.sums) {
    if (HashName::Parse(name)->is_of_all_time()) sums += sum;
  }
  if (sums == expected) return;
  found.differences.push_back(
      fmt::format("the sums of all sites' all and bots in shard {:02} are {}, expected {} by {}: {} views, less {} set "
                  "aside, {:+} adjusted",
                  shard_.value, sums, expected, keys::Totals(shard_), all.views, all.set_aside, all.adjusted));
  // The repair is booked as an adjustment of the retired lanes.
  Propose("retired:adjusted", sums - expected, found);
}

void SumAudit::JudgeDays(const Snapshot& snapshot, const Totals& totals, Found& found) const {
  std::map<std::string, Wide> days;
  for (const auto& [name, sum] : snapshot.sums) {
    const auto parsed = HashName::Parse(name);
    Wide& of_site = days[std::string(parsed->site)];
    if (parsed->is_day()) of_site += sum;
    // A removal of this day failed half way and is tried again.
    const auto gone = totals.gone.find(name);
    if (gone != totals.gone.end() && snapshot.present.contains(name)) of_site -= gone->second;
  }
  for (const auto& [site, together] : days) {
    const auto at = totals.apart.find(site);
    const int64_t apart = at == totals.apart.end() ? 0 : at->second;
    const Wide sum = SumOf(snapshot.sums, site + ":all");
    if (sum == together + apart) continue;
    found.differences.push_back(
        fmt::format("{} holds {} as its sum (the empty field), expected {}: its days' {} and {:+} by "
                    "adjustments and what was set aside",
                    HashName{site, "all"}.Key(shard_), sum, together + apart, together, apart));
    Propose("apart:" + site, sum - (together + apart), found);
  }
}

}  // namespace viewcount
