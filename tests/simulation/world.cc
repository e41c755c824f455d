#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "service/base/check.h"
#include "service/base/status.h"
#include "tests/simulation/crash.h"
#include "tests/simulation/seeded_identifiers.h"
#include "tests/simulation/violation.h"

namespace viewcount::simulation {

World::World(uint64_t seed, Trace& trace)
    : random_(seed),
      trace_(trace),
      settings_(Settings::Draw(random_)),
      truth_(settings_, random_),
      store_({.nodes = settings_.nodes}),
      network_(random_),
      clients_(settings_, truth_, random_),
      zones_(settings_.sites) {
  DrawIdentifiersFrom(&random_);
  network_.faults = settings_.network;
  trace_.Keep(fmt::format("{} machines, {} lanes each, {} articles, {} events{}{}{}{}", settings_.machines,
                          settings_.lanes_per_machine, settings_.articles, settings_.events,
                          settings_.viewers ? ", viewers" : "", settings_.cool_down ? ", cool-down" : "",
                          settings_.late_starts ? ", late starts" : "",
                          settings_.lanes_change ? ", lanes change" : ""));
  clients_.stored = [this](const SentBatch& batch) { CheckStored(batch); };
  while (slots_.size() < settings_.machines) AddSlot();
}

World::Slot& World::AddSlot() {
  return slots_.emplace_back(Slot{.index = static_cast<uint32_t>(slots_.size()),
                                  .machine = std::make_unique<Machine>(true_unix_ms_, random_),
                                  .lanes = settings_.lanes_per_machine,
                                  .proven = std::vector<Position>(settings_.lanes_per_machine)});
}

Process::Dependencies World::PartsOf(Slot& slot) {
  return {*slot.machine, store_, network_, metrics_, settings_, slot.lanes};
}

World::~World() {
  for (Slot& slot : slots_) {
    if (slot.process != nullptr) clients_.BeginDeath(IndexOf(slot));
    slot.process.reset();
  }
  DrawIdentifiersFrom(nullptr);
}

std::vector<World::Event> World::Events() const {
  const Settings::Weights& weights = settings_.weights;
  return {{weights.send, &World::Send, "send"},
          {weights.send_again, &World::SendAgain, "send again"},
          {weights.step_lane, &World::StepAnyLane, "step a lane"},
          {weights.flush, &World::FlushAny, "flush"},
          {weights.go_on, &World::GoOn, "a call goes on"},
          {weights.deliver_late, &World::DeliverLate, "a late command arrives"},
          {weights.maintain, &World::Maintain, "maintain"},
          {weights.pass_time, &World::PassTime, "time passes"},
          {weights.read, &World::Read, "read"},
          {weights.kill, &World::Kill, "kill"},
          {weights.power_loss, &World::LosePower, "lose power"},
          {weights.crash_at_change, &World::CrashAtChange, "crash at a change"},
          {weights.start, &World::StartAny, "start"},
          {weights.roll_back, &World::RollBack, "roll back"},
          {weights.restart_store, &World::RestartStore, "restart the store"},
          {weights.empty_store, &World::EmptyStore, "empty the store"},
          {weights.disconnect, &World::Disconnect, "disconnect"},
          {weights.fill_disk, &World::FillDisk, "fill the disk"},
          {weights.fail_sync, &World::FailSync, "fail a sync"},
          {weights.change_zone, &World::ChangeZone, "change a zone"},
          {weights.set_wall_clock, &World::SetWallClock, "set a wall clock"},
          {weights.flip_bit, &World::FlipBit, "flip a bit"},
          {weights.copy_folder, &World::CopyFolder, "copy a folder"},
          {weights.take_image, &World::TakeImage, "take an image"},
          {weights.restore_image, &World::RestoreImage, "restore an image"}};
}

void World::Run() {
  const std::vector<Event> events = Events();
  const uint64_t sum = std::accumulate(events.begin(), events.end(), uint64_t{0},
                                       [](uint64_t so_far, const Event& event) { return so_far + event.weight; });
  for (Slot& slot : slots_) Launch(slot);
  for (uint32_t i = 0; i < settings_.events; ++i) {
    uint64_t at = random_.Below(sum);
    const Event* event = events.data();
    for (; at >= event->weight; ++event) at -= event->weight;
    trace_.Note(event->name, random_.Below(1 << 20));
    (this->*event->happen)();
    CheckAudit();
  }
  Heal();
}

World::Slot* World::AnyUp() {
  Slot& slot = AnySlot();
  return slot.process != nullptr && slot.process->up() ? &slot : nullptr;
}

Receiver World::ReceiverOf(Slot& slot) {
  Process* const process = slot.process.get();
  return {.machine = IndexOf(slot),
          .in_doubt = slot.copied,
          .clock = &slot.machine->clock,
          .true_unix_ms = [this] { return true_unix_ms_; },
          .lane_of = [process](const WriterId& writer) -> Lane& { return process->LaneOf(writer); },
          .site_of = [process](const std::string& name) { return process->sites().Find(name)->index; },
          .zone_of = [this](uint32_t site) { return zones_[site]; }};
}

void World::With(Slot& slot, const std::function<void(Process&)>& work) {
  try {
    work(*slot.process);
    slot.process->Poll();
  } catch (const Crash& crash) {
    trace_.Note("died", IndexOf(slot));
    trace_.Keep("       " + crash.reason);
    Bury(slot, random_.Half());
    return;
  }
  if (slot.process->abandoned() > slot.abandoned) {
    if (!slot.copied && !slot.is_copy && !slot.restored) throw Violation{"an identity was given up for no reason"};
    slot.abandoned = slot.process->abandoned();
    DoubtCopies();
  }
  const absl::Status ended = slot.process->ended();
  if (!ended.ok()) Ended(slot, ended);
}

void World::Ended(Slot& slot, const absl::Status& status) {
  trace_.Note("ended", IndexOf(slot), static_cast<int>(status.code()));
  trace_.Keep("       " + std::string(status.message()));
  Bury(slot, false);
  if (ReasonOf(status) != "FENCED") return;
  if (slot.restored) {
    // The operator gives the lane up and starts a new one.
    slot.machine->PutImage({}, settings_.lanes_per_machine);
    clients_.Restart(IndexOf(slot));
    return;
  }
  if (!slot.copied && !slot.is_copy) throw Violation{"fenced, though nobody else has the lane"};
  slot.retired = true;
  if (slot.is_copy) DoubtCopies();
}

void World::DoubtCopies() {
  for (const Slot& slot : slots_) {
    if (slot.copied || slot.is_copy) clients_.Restart(IndexOf(slot));
  }
}

void World::Bury(Slot& slot, bool power_loss) {
  const uint32_t machine = IndexOf(slot);
  trace_.Note(power_loss ? "powerless" : "dead", machine);
  clients_.BeginDeath(machine);
  slot.process.reset();
  slot.abandoned = 0;
  clients_.EndDeath(machine);
  slot.machine->disk.CrashAt(0);
  slot.machine->disk.meanwhile = nullptr;
  if (power_loss) {
    slot.machine->stored.Crash(random_.engine());
    slot.machine->clock.Reboot();
  }
}

void World::Launch(Slot& slot) {
  if (slot.process != nullptr || slot.retired) return;
  if (settings_.lanes_change) {
    slot.lanes = static_cast<uint32_t>(random_.Between(1, settings_.lanes_per_machine));
    // A lane's number may now stand for another journal.
    slot.proven.assign(settings_.lanes_per_machine, {});
  }
  slot.process = std::make_unique<Process>(PartsOf(slot));
  absl::Status opened;
  With(slot, [&](Process& process) {
    opened = process.Open();
    if (!opened.ok()) return;
    for (uint32_t site = 0; site < settings_.sites; ++site) {
      process.PutSite(Truth::SiteName(site), Truth::ZoneName(zones_[site]));
    }
    process.Begin(settings_.late_starts && random_.Half() ? static_cast<uint32_t>(random_.Between(1, 8)) : 0);
  });
  if (opened.ok()) return;
  trace_.Note("cannot start", IndexOf(slot), static_cast<int>(opened.code()));
  trace_.Keep("       " + std::string(opened.message()));
  if (absl::IsDataLoss(opened))
    throw Violation{"a journal that nobody broke is refused: " + std::string(opened.message())};
  Bury(slot, false);
}

void World::StepLane(Slot& slot, size_t lane) {
  With(slot, [&](Process& process) {
    const Position before = process.journal(lane).end();
    slot.machine->disk.meanwhile = [&] { Meanwhile(slot); };
    const bool stepped = process.lane(lane).Step();
    slot.machine->disk.meanwhile = nullptr;
    if (!stepped) return;
    // Batches that were acknowledged from memory are durable now, at least those of this lane.
    if (process.lanes() == 1) clients_.Settled(IndexOf(slot));
    if (process.journal(lane).end() > before) slot.proven[lane] = before;
  });
}

void World::Meanwhile(Slot& slot) {
  Process& process = *slot.process;
  switch (random_.Below(8)) {
    case 0:
      process.Flush(random_.Below(process.lanes()));
      break;
    case 1:
      network_.ReleaseOne(false);
      process.Poll();
      break;
    case 2:
      StartReading(slot);
      process.Poll();
      break;
    default:
      break;
  }
}

void World::PollAll() {
  for (Slot& slot : slots_) {
    if (slot.process != nullptr) With(slot, [](Process&) {});
  }
}

}  // namespace viewcount::simulation
