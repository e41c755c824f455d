// The events of a world, one function each.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "tests/simulation/violation.h"
#include "tests/simulation/world.h"

namespace viewcount::simulation {
namespace asio = boost::asio;
using std::chrono::milliseconds;

void World::Send() {
  if (Slot* slot = AnyUp()) clients_.SendNew(ReceiverOf(*slot));
}

void World::SendAgain() {
  if (Slot* slot = AnyUp()) clients_.SendAgain(ReceiverOf(*slot));
}

void World::StepAnyLane() {
  if (Slot* slot = AnyUp()) StepLane(*slot, random_.Below(slot->process->lanes()));
}

void World::FlushAny() {
  if (Slot* slot = AnyUp()) {
    With(*slot, [&](Process& process) { process.Flush(random_.Below(process.lanes())); });
  }
}

void World::GoOn() {
  if (network_.hanging() == 0) return;
  network_.ReleaseOne(random_.Below(8) == 0);
  PollAll();
}

void World::DeliverLate() { network_.DeliverOne(); }

void World::Maintain() {
  if (Slot* slot = AnyUp()) {
    With(*slot, [&](Process& process) { process.Maintain(random_.Below(process.lanes())); });
  }
}

void World::Advance(milliseconds by) {
  true_unix_ms_ += by.count();
  for (Slot& slot : slots_) slot.machine->clock.Advance(by);
}

void World::PassTime() {
  constexpr milliseconds kSteps[] = {milliseconds(1), milliseconds(200), milliseconds(1'500), milliseconds(4'000),
                                     milliseconds(11'000)};
  // All events together must not take so long that a lane forgets a writer.
  Advance(random_.Below(20) == 0 ? milliseconds(std::chrono::minutes(25)) : kSteps[random_.Below(5)]);
}

void World::Kill() {
  Slot& slot = AnySlot();
  if (slot.process != nullptr) Bury(slot, false);
}

void World::LosePower() {
  Slot& slot = AnySlot();
  if (slot.process != nullptr) Bury(slot, true);
}

void World::CrashAtChange() { AnySlot().machine->disk.CrashAt(random_.Between(1, 12)); }

void World::StartAny() {
  Slot& slot = AnySlot();
  // A start that changes the number of lanes changes many files.
  const bool dies = settings_.lanes_change && slot.process == nullptr && random_.Below(3) == 0;
  if (dies) slot.machine->disk.CrashAt(random_.Between(1, 60));
  Launch(slot);
}

void World::RollBack() {
  const auto node = static_cast<uint32_t>(random_.Below(settings_.nodes));
  const size_t history = store_.history(node);
  if (history == 0) return;
  // A chunk takes at least one write for every shard of the node. The node goes back by up to 20 writes, by up to five
  // writes for each of its shards, or by any number.
  const size_t chunks = 5 * limits::kShards / settings_.nodes;
  const size_t most = random_.Half() ? history : random_.Half() ? 20 : chunks;
  went_back_ = true;
  NoteLosses();
  store_.Rollback(node, random_.Between(1, std::min(most, history)));
  // A command on its way to the lost node may reach the node that replaces it.
  if (random_.Half()) network_.DeliverOne();
}

void World::RestartStore() { store_.Restart(); }

void World::EmptyStore() {
  went_back_ = true;
  NoteLosses();
  store_.Empty();
}

void World::Disconnect() {
  Slot& slot = AnySlot();
  if (slot.process == nullptr) return;
  With(slot, [](Process& process) { process.connection().Disconnect(); });
}

void World::FillDisk() {
  MemoryDisk& disk = AnySlot().machine->stored;
  disk.SetQuota(random_.Half() ? UINT64_MAX : disk.bytes() + random_.Below(settings_.segment_bytes + 1'000));
}

void World::FailSync() { AnySlot().machine->stored.FailSync(static_cast<int>(random_.Between(1, 6))); }

void World::ChangeZone() {
  const auto site = static_cast<uint32_t>(random_.Below(settings_.sites));
  zones_[site] = static_cast<uint32_t>(random_.Below(Truth::zones()));
  for (Slot& slot : slots_) {
    if (slot.process != nullptr) slot.process->PutSite(Truth::SiteName(site), Truth::ZoneName(zones_[site]));
  }
}

void World::SetWallClock() {
  constexpr milliseconds kDay = std::chrono::hours(24);
  AnySlot().machine->clock.SetWallError((static_cast<int>(random_.Below(3)) - 1) * kDay);
}

void World::FlipBit() {
  Slot& slot = AnySlot();
  if (slot.process == nullptr || !slot.process->up()) return;
  const size_t lane = random_.Below(slot.process->lanes());
  const Position proven = slot.proven[lane];
  const Position end = slot.process->journal(lane).end();
  Bury(slot, random_.Half());
  // Takes the newest segment, since it is read at every start.
  const std::string folder = Machine::LaneFolder(lane);
  const auto names = slot.machine->stored.List(folder);
  std::string newest;
  for (const std::string& name : *names) {
    if (name.ends_with(".journal")) newest = std::max(newest, name);
  }
  if (newest.empty()) return;
  const uint64_t start = std::stoull(newest);
  if (proven.value <= start || proven >= end) return;
  const std::string path = folder + "/" + newest;
  const uint64_t offset = random_.Below(proven.value - start);
  const int bit = static_cast<int>(random_.Below(8));
  slot.machine->stored.FlipBit(path, offset, bit);
  trace_.Note("flipped", offset, bit);
  Process broken(PartsOf(slot));
  const absl::Status opened = broken.Open();
  if (opened.ok()) throw Violation{"a broken record that had been durable was not noticed"};
  slot.machine->stored.FlipBit(path, offset, bit);
}

void World::CopyFolder() {
  Slot* const from = AnyUp();
  // One copy is enough for things to go wrong.
  for (const Slot& slot : slots_) {
    if (slot.is_copy) return;
  }
  if (from == nullptr || from->restored) return;
  Slot& copy = AddSlot();
  copy.is_copy = from->copied = went_back_ = true;
  copy.machine->PutImage(from->machine->TakeImage(settings_.lanes_per_machine), settings_.lanes_per_machine);
  clients_.AddMachine();
  clients_.Move(IndexOf(*from), IndexOf(copy));
  Launch(copy);
}

void World::TakeImage() {
  Slot& slot = AnySlot();
  slot.image = slot.machine->TakeImage(settings_.lanes_per_machine);
}

void World::RestoreImage() {
  Slot& slot = AnySlot();
  if (slot.image.empty() || slot.copied || slot.is_copy) return;
  if (slot.process != nullptr) Bury(slot, false);
  slot.restored = went_back_ = true;
  slot.machine->PutImage(slot.image, settings_.lanes_per_machine);
  clients_.Restart(IndexOf(slot));
}

}  // namespace viewcount::simulation
