// The world of one run: machines with their processes, the store that they share, the clients and readers, and the
// faults.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/clients.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/process.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/truth.h"

namespace viewcount::simulation {

// A simulated world. Not thread-safe, and only one may exist at a time, because identifiers come from the newest. A
// seed always gives the same run.
class World {
 public:
  World(uint64_t seed, Trace& trace);
  ~World();

  // Runs the world. Throws Violation if a promise is broken.
  void Run();

 private:
  // A machine and its process, if one is running.
  struct Slot {
    uint32_t index = 0;
    std::unique_ptr<Machine> machine;
    std::unique_ptr<Process> process;
    // The number of lanes of the last start.
    uint32_t lanes = 1;
    // By lane: the position up to which the journal is known to be durable, because something was written after it.
    std::vector<Position> proven;
    // The process found that another process has its lanes. It will not be started again.
    bool retired = false;
    // The machine's folder was copied, and the copy is in use as well.
    bool copied = false;
    bool is_copy = false;
    // How often its process has given up an identity.
    uint32_t abandoned = 0;
    // The machine got an earlier state of its files, so it may not know its own latest starts.
    bool restored = false;
    // An earlier state of the machine's files; may be empty.
    Image image;
  };
  // A kind of event and its relative probability.
  struct Event {
    uint32_t weight = 0;
    void (World::*happen)() = nullptr;
    const char* name = nullptr;
  };

  std::vector<Event> Events() const;
  Slot& AnySlot() { return slots_[random_.Below(slots_.size())]; }
  // Returns a random slot, or null if that slot's process does not take views now.
  Slot* AnyUp();
  static uint32_t IndexOf(const Slot& slot) { return slot.index; }
  Slot& AddSlot();
  Process::Dependencies PartsOf(Slot& slot);
  Receiver ReceiverOf(Slot& slot);
  // Runs `work` with the slot's process. If the process dies or ends, With buries it.
  void With(Slot& slot, const std::function<void(Process&)>& work);
  // Destroys the slot's process, with or without a power loss.
  void Bury(Slot& slot, bool power_loss);
  // Starts a process in the slot, unless there is one or the slot is retired.
  void Launch(Slot& slot);
  void StepLane(Slot& slot, size_t lane);
  void PollAll();
  // Does what the store's thread may do while the slot's lane waits for its disk.
  void Meanwhile(Slot& slot);
  // Handles a process that ended by itself.
  void Ended(Slot& slot, const absl::Status& status);
  // Puts everything that copies acknowledged in doubt.
  void DoubtCopies();
  // Lets time pass on all machines.
  void Advance(std::chrono::milliseconds by);

  // --- Events ---
  void Send();
  void SendAgain();
  void StepAnyLane();
  void FlushAny();
  void GoOn();
  void DeliverLate();
  void Maintain();
  void PassTime();
  void Read();
  void Kill();
  void LosePower();
  void CrashAtChange();
  void StartAny();
  void RollBack();
  void RestartStore();
  void EmptyStore();
  void Disconnect();
  void FillDisk();
  void FailSync();
  void ChangeZone();
  void SetWallClock();
  void FlipBit();
  void CopyFolder();
  void TakeImage();
  void RestoreImage();

  // --- Reading ---
  void StartReading(Slot& slot);
  boost::asio::awaitable<void> ReadArticles(Slot& slot, std::shared_ptr<const Site> site,
                                            std::vector<uint32_t> articles);
  void CheckAnswer(const Counts& counts, const std::vector<uint32_t>& articles, const std::vector<Sums>& least);
  void CheckStored(const SentBatch& batch);
  uint64_t LostIn(Shard shard) const { return store_.TotalsOf(shard).lost; }
  // Returns the highest number of views that was ever reported as lost. A store that goes back forgets such reports,
  // but readers may know them.
  uint64_t MostLostIn(Shard shard) const { return std::max(most_lost_[shard.value], LostIn(shard)); }
  void NoteLosses();
  void CheckAudit();

  // --- The end ---
  void Heal();
  // Runs one round in which every machine does what is left to do. Returns true if nothing was left.
  bool Settle();
  bool IsFlushed(Slot& slot);
  void Verdict();
  void JudgeVisits(const std::map<std::string, int64_t>& visits, const std::map<std::string, int64_t>& by_day);

  Random random_;
  Trace& trace_;
  const Settings settings_;
  // The true time begins on Monday, 9 March 2026, 06:30 UTC. The clocks in New York changed 23.5 hours before.
  int64_t true_unix_ms_ = 1'773'037'800'000;
  Truth truth_;
  Metrics metrics_;
  MemoryStore store_;
  Network network_;
  Clients clients_;
  std::vector<uint32_t> zones_;
  std::deque<Slot> slots_;
  // The store or a machine went back in time. Views may be lost if the journal does not reach back.
  bool went_back_ = false;
  std::array<uint64_t, limits::kShards> most_lost_{};
};

}  // namespace viewcount::simulation
