// Everything of one run: machines with their processes, the store they share, those who send and ask, and what goes
// wrong.
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

// One thread, and one world at a time: identifiers come from the newest. The same seed makes the same run.
class World {
 public:
  World(uint64_t seed, Trace& trace);
  ~World();

  // Throws Violation.
  void Run();

 private:
  struct Slot {
    uint32_t index = 0;
    std::unique_ptr<Machine> machine;
    std::unique_ptr<Process> process;
    // By lane: up to where its journal is known to be durable because something was written behind it.
    std::vector<Position> proven;
    // It found that someone else has its lanes, and will not come back.
    bool retired = false;
    // It was copied, and the copy is in use as well.
    bool copied = false;
    bool is_copy = false;
    // How often its process was seen to give up an identity.
    uint32_t abandoned = 0;
    // It was given files of before: it may not know its own latest starts.
    bool restored = false;
    // An earlier state of its files; may be empty.
    Image image;
  };
  struct Event {
    uint32_t weight = 0;
    void (World::*happen)() = nullptr;
    const char* name = nullptr;
  };

  std::vector<Event> Events() const;
  Slot& AnySlot() { return slots_[random_.Below(slots_.size())]; }
  // Null if that one does not take views now.
  Slot* AnyUp();
  static uint32_t IndexOf(const Slot& slot) { return slot.index; }
  Slot& AddSlot();
  Receiver ReceiverOf(Slot& slot);
  // Does `work` with the slot's process; if that dies or ends of it, buries it.
  void With(Slot& slot, const std::function<void(Process&)>& work);
  void Bury(Slot& slot, bool power_loss);
  void Launch(Slot& slot);
  void StepLane(Slot& slot, size_t lane);
  void PollAll();
  // What the store's thread may do while the slot's lane waits for its disk.
  void Meanwhile(Slot& slot);
  // The process ended by itself.
  void Ended(Slot& slot, const absl::Status& status);
  // What became of copies makes everything uncertain that was acknowledged by them.
  void DoubtCopies();

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
  // The most that was ever said to be lost: a store that goes back forgets that, too, but readers may know it.
  uint64_t MostLostIn(Shard shard) const { return std::max(most_lost_[shard.value], LostIn(shard)); }
  void NoteLosses();
  void CheckAudit();

  // --- The end ---
  void Heal();
  // One round of everybody doing what is left to do; true if nothing is.
  bool Settle();
  bool IsFlushed(Slot& slot);
  void Verdict();
  void JudgeVisits(const std::map<std::string, int64_t>& visits, const std::map<std::string, int64_t>& by_day);

  Random random_;
  Trace& trace_;
  const Settings settings_;
  std::chrono::milliseconds true_time_{0};
  Truth truth_;
  Metrics metrics_;
  MemoryStore store_;
  Network network_;
  Clients clients_;
  std::vector<uint32_t> zones_;
  std::deque<Slot> slots_;
  // The store went back in time, or a machine did: views may be lost, if the journal does not reach back.
  bool went_back_ = false;
  std::array<uint64_t, limits::kShards> most_lost_{};
};

}  // namespace viewcount::simulation
