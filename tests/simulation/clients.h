// Simulated clients that send views. They retry batches that were not acknowledged, and sometimes acknowledged ones.
// They never send two different batches under one identity.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/lane/lane.h"
#include "service/model/batch.h"
#include "service/sites/site.h"
#include "tests/simulation/truth.h"

namespace viewcount::simulation {

// A process as a client sees it.
struct Receiver {
  uint32_t machine = 0;
  // Acknowledged batches may be lost, because the machine's folder was copied.
  bool in_doubt = false;
  const Clock* clock = nullptr;
  // Returns the true time in Unix milliseconds.
  std::function<int64_t()> true_unix_ms;
  // Returns the lane that takes a writer's batches.
  std::function<Lane&(const WriterId&)> lane_of;
  // Return the index under which the process knows the site, and the site's time zone.
  std::function<SiteIndex(const std::string&)> site_of;
  std::function<uint32_t(uint32_t site)> zone_of;
};

// All clients of a world. Not thread-safe. Owns the batches that are under way. `truth` and `random` must outlive it.
class Clients {
 public:
  Clients(const Settings& settings, Truth& truth, Random& random);
  ~Clients();

  // Called with each batch that was acknowledged as stored.
  std::function<void(const SentBatch&)> stored = [](const SentBatch&) {};

  // Makes a new batch, either of one of the machine's writers or without a writer. Sends it now, or leaves it for
  // later.
  void SendNew(const Receiver& to);
  // Sends an existing batch of a writer, whether it was sent before or not, in order or not.
  void SendAgain(const Receiver& to);
  // Has the machine's writers send, in order, all batches that were not acknowledged. Returns false if there are none.
  bool SendOpen(const Receiver& to);
  // Makes a last batch for each of the machine's writers. A writer learns by it of anything that was lost before.
  void SendLast(const Receiver& to);

  // The process is about to end. No answer that it gives from now on reaches a client.
  void BeginDeath(uint32_t machine) { dead_[machine] = true; }
  // The process has ended. The outcome of all batches under way is unknown.
  void EndDeath(uint32_t machine);
  // A lane has handled its group completely, so batches that were acknowledged from memory are durable now.
  void Settled(uint32_t machine);
  // The machine now has another journal than the one that acknowledged batches. Everything sent to the machine is in
  // doubt, and its writers start again under new IDs.
  void Restart(uint32_t machine);
  // The writers of machine `from` move to machine `to` and start again under new IDs. Batches that were not
  // acknowledged are in doubt.
  void Move(uint32_t from, uint32_t to);
  // Puts everything that was sent to the machine in doubt.
  void Doubt(uint32_t machine);
  // Adds a machine without clients.
  void AddMachine();
  size_t under_way(uint32_t machine) const { return under_way_[machine].size(); }

 private:
  class Try;
  // A client with a writer ID.
  struct Writer {
    WriterId id;
    uint32_t name = 0;
    uint32_t machine = 0;
    uint32_t site = 0;
    bool import = false;
    uint64_t next_sequence = 1;
    // The batches that were made under the present ID, in order.
    std::vector<SentBatch*> batches;
    // Pairs of article and viewer, made under the present ID. This writer alone sends their views, under a cool-down.
    std::vector<std::pair<uint32_t, uint64_t>> viewers = {};
  };

  // Makes the view one of a viewer whose views only this writer sends. Often the viewer's last view is still within its
  // cool-down.
  void CoolDown(Writer& writer, SentView& view);
  SentBatch& Make(uint32_t machine, uint32_t writer, int64_t now_unix_ms);
  void Send(SentBatch& batch, const Receiver& to);
  void Answered(Try& made, const absl::Status& status, const IngestResult& result);
  void Accepted(SentBatch& batch, size_t attempt, const IngestResult& result);
  void Refused(SentBatch& batch, size_t attempt, const absl::Status& status);
  // Marks everything that the writer sent up to and including `batch` as durable.
  void MakeCertain(SentBatch& batch);
  // The lane expects `sequence` of this writer next, so later batches must be sent again.
  void GoBack(Writer& writer, uint64_t sequence);
  void Drop(Try& made);
  WriterId NewId();
  void BeginAnew(Writer& writer);
  // Returns true if the batch was sent under the writer's present ID.
  bool IsCurrent(const SentBatch& batch) const;

  const Settings& settings_;
  Truth& truth_;
  Random& random_;
  std::vector<Writer> writers_;
  std::vector<bool> dead_;
  // By machine.
  std::vector<std::vector<std::unique_ptr<Try>>> under_way_;
  // The number of viewers made so far.
  uint64_t viewers_ = 0;
};

}  // namespace viewcount::simulation
