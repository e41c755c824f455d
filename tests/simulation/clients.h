// Those who send views: they retry what was not acknowledged, and sometimes what was; they never send two different
// things under one name.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/ingest/batch.h"
#include "service/lane/lane.h"
#include "service/sites/site.h"
#include "tests/simulation/truth.h"

namespace viewcount::simulation {

// What a client needs of the process it sends to.
struct Receiver {
  uint32_t machine = 0;
  // What it acknowledges may be lost for reasons of its own.
  bool in_doubt = false;
  const Clock* clock = nullptr;
  // What an honest clock says.
  std::function<int64_t()> true_unix_ms;
  std::function<Lane&(const WriterId&)> lane_of;
  // What the process takes the site to be, and its zone.
  std::function<SiteIndex(const std::string&)> site_of;
  std::function<uint32_t(uint32_t site)> zone_of;
};

// One thread. Owns what is under way. `truth` and `random` must outlive it.
class Clients {
 public:
  Clients(const Settings& settings, Truth& truth, Random& random);
  ~Clients();

  // Called with a batch that was acknowledged as being in the store.
  std::function<void(const SentBatch&)> stored = [](const SentBatch&) {};

  // A new batch of one of the machine's writers, or of nobody's; sent at once, or later.
  void SendNew(const Receiver& to);
  // Something sent before or not yet, in order or not.
  void SendAgain(const Receiver& to);
  // The machine's writers send what they have not seen acknowledged, in order; false if there is nothing.
  bool SendOpen(const Receiver& to);
  // What each of the machine's writers sends last, to learn of anything that was lost before it.
  void SendLast(const Receiver& to);

  // The process is about to go: nothing that it says from now on reaches anybody.
  void BeginDeath(uint32_t machine) { dead_[machine] = true; }
  // It is gone. Nobody knows what became of what was under way.
  void EndDeath(uint32_t machine);
  // A lane handled its group to the end: what was acknowledged from memory is durable.
  void Settled(uint32_t machine);
  // The machine's journal is not the one that acknowledged: everything sent to it is in doubt, and its writers begin
  // anew.
  void Restart(uint32_t machine);
  // Another machine takes the place of one; its writers begin anew, and what was not acknowledged is in doubt.
  void Move(uint32_t from, uint32_t to);
  // Everything sent to the machine is in doubt.
  void Doubt(uint32_t machine);
  void AddMachine();
  size_t under_way(uint32_t machine) const { return under_way_[machine].size(); }

 private:
  class Try;
  struct Writer {
    WriterId id;
    uint32_t name = 0;
    uint32_t machine = 0;
    uint32_t site = 0;
    bool import = false;
    uint64_t next_sequence = 1;
    // Since it has this ID, in order.
    std::vector<SentBatch*> batches;
    // The same for those whose views it sends under a cool-down: article and viewer.
    std::vector<std::pair<uint32_t, uint64_t>> viewers = {};
  };

  // A view by a viewer that this writer sends views of alone, often one whose last view has not cooled down.
  void CoolDown(Writer& writer, SentView& view);
  SentBatch& Make(uint32_t machine, uint32_t writer, int64_t now_unix_ms);
  void Send(SentBatch& batch, const Receiver& to);
  void Answered(Try& made, const absl::Status& status, const IngestResult& result);
  void Accepted(SentBatch& batch, size_t attempt, const IngestResult& result);
  void Refused(SentBatch& batch, size_t attempt, const absl::Status& status);
  // Everything that the writer sent up to and with `batch` is durable.
  void MakeCertain(SentBatch& batch);
  // The lane expects `sequence` of this writer.
  void GoBack(Writer& writer, uint64_t sequence);
  void Drop(Try& made);
  WriterId NewId();
  void BeginAnew(Writer& writer);
  // What it was sent under is still the writer's ID.
  bool IsCurrent(const SentBatch& batch) const;

  const Settings& settings_;
  Truth& truth_;
  Random& random_;
  std::vector<Writer> writers_;
  std::vector<bool> dead_;
  // By machine.
  std::vector<std::vector<std::unique_ptr<Try>>> under_way_;
  // Made so far.
  uint64_t viewers_ = 0;
};

}  // namespace viewcount::simulation
