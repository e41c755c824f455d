// The end of a run: all faults are removed, all clients finish, and the store is compared with what was sent.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "tests/simulation/violation.h"
#include "tests/simulation/world.h"

namespace viewcount::simulation {
namespace {

constexpr int kRoundsMax = 120;

std::string NameOf(const Article& article, Window window) {
  constexpr const char* kKinds[] = {"in all", "on day", "in hour", "of bots", "visits", "visits on day", "viewers"};
  return fmt::format("{} of {} {} {}", article.id, Truth::SiteName(article.site), kKinds[static_cast<int>(window.kind)],
                     window.number);
}

}  // namespace

void World::Heal() {
  trace_.Note("heal");
  network_.faults = {};
  for (Slot& slot : slots_) {
    slot.machine->stored.SetQuota(UINT64_MAX);
    slot.machine->stored.FailSync(0);
    slot.machine->disk.CrashAt(0);
    slot.machine->clock.SetWallError({});
  }
  bool told_last = false;
  int settled = 0;
  for (int round = 0; round < kRoundsMax && settled < 2; ++round) {
    settled = Settle() ? settled + 1 : 0;
    CheckAudit();
    if (settled == 0 || told_last) continue;
    told_last = true;
    settled = 0;
    for (Slot& slot : slots_) {
      if (slot.process != nullptr) clients_.SendLast(ReceiverOf(slot));
    }
  }
  if (settled < 2) throw Violation{"it did not come to rest"};
  Verdict();
}

bool World::Settle() {
  trace_.Note("settle");
  // The rest of a retention does not matter here. After this time every flusher checks the store again.
  Advance(std::chrono::seconds(12));
  for (Slot& slot : slots_) Launch(slot);
  while (network_.hanging() > 0) {
    network_.ReleaseOne(false);
    PollAll();
  }
  while (network_.late() > 0) network_.DeliverOne();
  bool rest = true;
  for (Slot& slot : slots_) {
    if (slot.retired) continue;
    if (slot.process == nullptr || !slot.process->up()) {
      trace_.Note("not up", IndexOf(slot));
      rest = false;
      continue;
    }
    if (clients_.SendOpen(ReceiverOf(slot))) {
      trace_.Note("had open batches", IndexOf(slot));
      rest = false;
    }
    for (size_t lane = 0; slot.process != nullptr && lane < slot.process->lanes(); ++lane) {
      StepLane(slot, lane);
      if (slot.process != nullptr) With(slot, [&](Process& process) { process.Maintain(lane); });
      if (slot.process != nullptr) With(slot, [&](Process& process) { process.Flush(lane); });
    }
    if (slot.process == nullptr || !IsFlushed(slot)) {
      trace_.Note("not flushed", IndexOf(slot));
      rest = false;
    }
  }
  return rest;
}

bool World::IsFlushed(Slot& slot) {
  Process& process = *slot.process;
  for (size_t lane = 0; lane < process.lanes(); ++lane) {
    if (process.flushing(lane) || !process.flushed(lane).ok() || !process.KnowsStore(lane)) return false;
    const Ledger::Totals totals = process.ledger(lane).totals();
    if (totals.flushed != totals.position || totals.pending_views != 0) return false;
    if (process.lane(lane).counters().waiting != 0) return false;
  }
  return clients_.under_way(IndexOf(slot)) == 0;
}

void World::Verdict() {
  const auto& articles = truth_.articles();
  std::map<std::pair<std::string, std::string>, uint32_t> index;
  for (uint32_t i = 0; i < articles.size(); ++i) index[{Truth::SiteName(articles[i].site), articles[i].id}] = i;
  Truth::Expected expected = truth_.Expect();
  std::array<Truth::Bounds, limits::kShards> shards{};
  for (const auto& [place, bounds] : expected) {
    const auto& [article, window] = place;
    if (window.kind != Window::Kind::kAllTime && window.kind != Window::Kind::kBots) continue;
    shards[articles[article].shard.value].certain += bounds.certain;
    shards[articles[article].shard.value].maybe += bounds.maybe;
  }
  std::array<uint64_t, limits::kShards> counted{};
  std::map<uint32_t, int64_t> all_less_days;
  std::map<std::string, int64_t> visits;
  std::map<std::string, int64_t> visits_by_day;
  store_.ForEachHash([&](Shard shard, const std::string& site, Window window, const auto& counts, int64_t sum) {
    if (window.kind == Window::Kind::kVisits || window.kind == Window::Kind::kVisitDay) {
      if (!counts.empty()) throw Violation{"an article has visits"};
      (window.kind == Window::Kind::kVisits ? visits : visits_by_day)[site] += sum;
      return;
    }
    for (const auto& [id, signed_count] : counts) {
      // There are no adjustments in the simulation.
      if (signed_count < 0) throw Violation{fmt::format("{} is below zero", id)};
      const auto count = static_cast<uint64_t>(signed_count);
      sum -= signed_count;
      const uint32_t article = index.at({site, id});
      const Truth::Bounds bounds = expected[{article, window}];
      if (count > bounds.certain + bounds.maybe || count + LostIn(shard) < bounds.certain) {
        throw Violation{fmt::format("{}: {} in the store, {} to {} expected, {} lost",
                                    NameOf(articles[article], window), count, bounds.certain,
                                    bounds.certain + bounds.maybe, LostIn(shard))};
      }
      expected.erase({article, window});
      if (window.kind == Window::Kind::kAllTime || window.kind == Window::Kind::kBots) counted[shard.value] += count;
      if (window.kind == Window::Kind::kAllTime) all_less_days[article] += static_cast<int64_t>(count);
      if (window.kind == Window::Kind::kDay) all_less_days[article] -= static_cast<int64_t>(count);
    }
    if (sum != 0) throw Violation{fmt::format("a sum of shard {} is wrong by {}", shard.value, sum)};
  });
  for (const auto& [place, bounds] : expected) {
    if (bounds.certain > LostIn(articles[place.first].shard)) {
      throw Violation{fmt::format("{}: nothing in the store, {} expected", NameOf(articles[place.first], place.second),
                                  bounds.certain)};
    }
  }
  if (!settings_.cool_down) JudgeVisits(visits, visits_by_day);
  for (const auto& [article, difference] : all_less_days) {
    if (difference != 0)
      throw Violation{fmt::format("{}: its days do not sum up: {}", articles[article].id, difference)};
  }
  for (uint8_t i = 0; i < limits::kShards; ++i) {
    const LaneTotals totals = store_.TotalsOf(Shard{i});
    const auto& [certain, maybe] = shards[i];
    if (totals.views != counted[i] || totals.set_aside != 0) {
      throw Violation{fmt::format("shard {}: lanes brought {} views, articles have {}", i, totals.views, counted[i])};
    }
    const uint64_t known = counted[i] + totals.lost;
    trace_.Note("shard", i, counted[i], totals.lost);
    if (known < certain || known > certain + maybe) {
      throw Violation{fmt::format("shard {}: {} counted and {} lost, {} to {} expected", i, counted[i], totals.lost,
                                  certain, certain + maybe)};
    }
  }
  for (Slot& slot : slots_) {
    for (size_t lane = 0; slot.process != nullptr && lane < slot.process->lanes(); ++lane) {
      const Lane::Counters counters = slot.process->lane(lane).counters();
      if (counters.received != counters.counted + counters.duplicate + counters.rejected + counters.waiting) {
        throw Violation{"a lane's counters do not sum up"};
      }
    }
  }
}

// A viewer's first view begins a visit, so each first view counts one visit. This also holds if the view is folded
// again when its viewer has long been known.
void World::JudgeVisits(const std::map<std::string, int64_t>& visits, const std::map<std::string, int64_t>& by_day) {
  for (uint32_t site = 0; site < settings_.sites; ++site) {
    const std::string& name = Truth::SiteName(site);
    const auto of = [&](const auto& counts) {
      const auto at = counts.find(name);
      return at == counts.end() ? 0 : static_cast<uint64_t>(at->second);
    };
    const Truth::Bounds bounds = truth_.ExpectVisits(site);
    const uint64_t counted = of(visits);
    trace_.Note("visits", site, counted);
    if (counted != of(by_day)) {
      throw Violation{fmt::format("{} has {} visits, its days {}", name, counted, of(by_day))};
    }
    // Losses are reported in views, not in visits.
    if (counted > bounds.certain + bounds.maybe || (!went_back_ && counted < bounds.certain)) {
      throw Violation{fmt::format("{} has {} visits, {} to {} expected", name, counted, bounds.certain,
                                  bounds.certain + bounds.maybe)};
    }
  }
}

}  // namespace viewcount::simulation
