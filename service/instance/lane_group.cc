#include "service/instance/lane_group.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

#include "service/base/planted_bug.h"
#include "service/base/status.h"
#include "service/model/lane_choice.h"

namespace viewcount {
namespace asio = boost::asio;

absl::StatusOr<std::unique_ptr<LaneGroup>> LaneGroup::Open(LaneRuntime::Dependencies parts, Options options) {
  std::unique_ptr<LaneGroup> group(new LaneGroup(std::move(parts), std::move(options)));
  const uint32_t count = group->options_.count;
  for (uint32_t i = 0; i < count; ++i) {
    auto lane = group->OpenLane(i);
    if (!lane.ok()) return lane.status();
    if (auto status = (*lane)->directory().SetRetired(false); !status.ok()) return status;
    group->lanes_.push_back(*std::move(lane));
  }
  const auto existing = ListLanes(group->parts_.disk, group->options_.data_dir);
  if (!existing.ok()) return existing.status();
  for (const auto& [number, path] : *existing) {
    if (number < count) continue;
    auto lane = group->OpenLane(number);
    if (!lane.ok()) return lane.status();
    const bool due = group->IsDue(**lane);
    if (!due && !(*lane)->directory().retired()) {
      spdlog::info(
          "lane {} in {} is beyond the configured number: it takes no more views. A start that follows {} s after the "
          "last of its views came into Redis removes it",
          ToHex((*lane)->identity().id), path, group->options_.lane.journal_retention / std::chrono::seconds(1));
    }
    (due ? group->due_ : group->lanes_).push_back(*std::move(lane));
  }
  if (auto status = group->MoveWriters(); !status.ok()) return status;
  return group;
}

bool LaneGroup::IsDue(const LaneRuntime& lane) const {
  if (Planted(PlantedBug::kRetireLaneEarly)) return true;
  // Without a retention no journal is kept for repairs.
  return options_.count == 0 || options_.lane.journal_retention.count() == 0 || lane.directory().retired();
}

absl::StatusOr<std::unique_ptr<LaneRuntime>> LaneGroup::OpenLane(uint32_t number) {
  auto directory = options_.locked
                       ? LaneDirectory::Open(parts_.disk, parts_.clock, options_.data_dir, number)
                       : LaneDirectory::OpenUnlocked(parts_.disk, parts_.clock, LanePath(options_.data_dir, number));
  if (!directory.ok()) return directory.status();
  return LaneRuntime::Open(parts_, options_.lane, *std::move(directory));
}

absl::Status LaneGroup::MoveWriters() {
  // Without active lanes no batch is taken, so no writer needs a dedupe entry.
  if (options_.count == 0) return absl::OkStatus();
  const SteadyTime now = parts_.clock.Now();
  std::string moving;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    moving += lanes_[i]->lane().writer_table().Serialize(
        now, [&](const WriterId& id, bool) { return LaneOfWriter(id, options_.count) != i; });
  }
  for (const auto& lane : due_) moving += lane->lane().writer_table().Serialize(now);
  if (moving.empty()) return absl::OkStatus();
  // All entries are added before any is removed. So a crash in between leaves a writer in two lanes instead of in none.
  if (Planted(PlantedBug::kRemoveWritersEarly)) {
    if (auto status = RemoveWriters(); !status.ok()) return status;
  }
  if (auto status = AddWriters(moving); !status.ok()) return status;
  return RemoveWriters();
}

absl::Status LaneGroup::AddWriters(const std::string& moving) {
  const SteadyTime now = parts_.clock.Now();
  for (size_t i = 0; i < options_.count; ++i) {
    bool came = false;
    const auto comes = [&](const WriterId& id, bool) {
      const bool here = LaneOfWriter(id, options_.count) == i;
      came = came || here;
      return here;
    };
    Lane& lane = lanes_[i]->lane();
    if (auto status = lane.writer_table().Merge(moving, now, comes); !status.ok()) return status;
    if (!came) continue;
    // No journal has a record of writers that come from other lanes.
    if (auto status = lane.WriteCheckpointNow(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status LaneGroup::RemoveWriters() {
  const SteadyTime now = parts_.clock.Now();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i]->lane();
    // This removes all writers of a surplus lane, so that it has no old entries when it takes views again.
    const auto leaves = [&](const WriterId& id, bool) { return LaneOfWriter(id, options_.count) != i; };
    if (lane.writer_table().Split(leaves, now).empty()) continue;
    if (auto status = lane.WriteCheckpointNow(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::vector<CountCache::Lane> LaneGroup::cached_lanes() const {
  std::vector<CountCache::Lane> lanes;
  for (const auto& lane : lanes_) lanes.push_back(lane->cached());
  return lanes;
}

absl::Status LaneGroup::BeginUnchecked() {
  for (const auto& lane : lanes_) {
    if (auto status = lane->BeginUnchecked(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

asio::awaitable<absl::Status> LaneGroup::Settle(CountStore& store) {
  for (const auto* lanes : {&due_, &lanes_}) {
    for (const auto& lane : *lanes) {
      if (auto status = co_await lane->Settle(store); !status.ok()) co_return status;
    }
  }
  while (!due_.empty()) {
    LaneRuntime& lane = *due_.back();
    if (auto status = co_await lane.Drain(store); !status.ok()) co_return status;
    if (options_.count > 0 && lane.directory().retired() && lane.drained_views() > 0) {
      // The store had gone back. It may do so again, so the next start keeps the lane.
      if (auto status = lane.directory().SetRetired(false); !status.ok()) co_return status;
    } else {
      if (auto status = co_await lane.Remove(store); !status.ok()) co_return status;
      retired_views_ += lane.drained_views();
    }
    due_.pop_back();
  }
  co_return absl::OkStatus();
}

void LaneGroup::MarkRetired(std::chrono::milliseconds retention) {
  for (size_t i = options_.count; i < lanes_.size(); ++i) {
    LaneDirectory& directory = lanes_[i]->directory();
    if (directory.retired() || !lanes_[i]->StoredSince(retention)) continue;
    const auto status = directory.SetRetired(true);
    if (status.ok()) {
      mark_lines_.Reset();
    } else if (mark_lines_.Take(parts_.clock.Now())) {
      spdlog::warn("lane {} is not marked as retired, so the next start keeps it: {}", ToHex(lanes_[i]->identity().id),
                   ToStd(status.message()));
    }
  }
}

asio::awaitable<absl::Status> LaneGroup::Recover(const LaneRuntime::FlushParts& parts) {
  for (const auto& lane : lanes_) {
    if (auto status = co_await lane->Recover(parts); !status.ok()) co_return status;
  }
  for (const auto& lane : lanes_) {
    if (auto status = lane->directory().EndUnchecked(); !status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

}  // namespace viewcount
