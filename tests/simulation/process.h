// A simulated viewcountd without threads and transports. Its lanes are the product's LaneGroup.
#pragma once

#include <absl/status/status.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "service/instance/lane_group.h"
#include "service/query/count_reader.h"
#include "service/sites/site_directory.h"
#include "tests/simulation/faulty_store.h"
#include "tests/simulation/machine.h"
#include "tests/simulation/settings.h"
#include "tests/support/memory_store.h"

namespace viewcount::simulation {

// A process. Not thread-safe. It lives from Open until it is destroyed; destroying it at any moment simulates kill -9.
// Functions may throw Crash; the process must then be destroyed. Everything that `parts` refers to must outlive it.
class Process final : public SiteListener {
 public:
  struct Dependencies {
    Machine& machine;
    MemoryStore& store;
    Network& network;
    Metrics& metrics;
    const Settings& settings;
    // The number of lanes that take views.
    uint32_t lanes = 1;
  };
  explicit Process(Dependencies parts);
  ~Process() override;

  // Reads the journals. Returns the error with which the process would end.
  absl::Status Open();
  // Starts everything that waits for the store. It continues whenever the process is polled. `late` above 0 means that
  // the store is away. The process then takes views immediately, and the store comes after that many calls of the
  // network have continued.
  void Begin(uint32_t late);
  // Lets coroutines run until all of them wait. A nested call does nothing.
  void Poll();
  // Returns true while the process takes views and answers questions.
  bool up() const { return up_; }
  // Returns true once the store has come, so that views are flushed.
  bool met() const { return met_; }
  // Returns an error once the process has ended by itself.
  const absl::Status& ended() const { return ended_; }

  void PutSite(const std::string& name, const std::string& zone);
  void SiteChanged(std::shared_ptr<const Site> site) override;

  // Returns the number of lanes, with those that take no more views.
  size_t lanes() const { return group_->lanes().size(); }
  Lane& LaneOf(const WriterId& writer);
  Lane& lane(size_t number) { return group_->lanes()[number]->lane(); }
  Ledger& ledger(size_t number) { return group_->lanes()[number]->ledger(); }
  JournalWriter& journal(size_t number) { return group_->lanes()[number]->journal(); }
  const LaneIdentity& identity(size_t number) const { return group_->lanes()[number]->identity(); }
  const SiteDirectory& sites() const { return sites_; }
  CountReader& reader() { return *reader_; }
  FaultyStore& connection() { return connection_; }
  boost::asio::io_context& context() { return context_; }

  // Does the periodic work of a lane, and of the lanes' group.
  void Maintain(size_t number);
  // Starts one attempt to flush a lane, unless one is under way.
  void Flush(size_t number);
  bool flushing(size_t number) const { return attempts_[number].under_way; }
  // Returns the result of the last attempt.
  const absl::Status& flushed(size_t number) const { return attempts_[number].result; }
  // Returns whether the lane's flusher knows the state of the store: nothing was rolled back since its last attempt
  // began.
  bool KnowsStore(size_t number) const;
  // Returns how many lanes have given up the identity that they had after Open.
  uint32_t abandoned() const;

 private:
  // The last attempt to flush a lane.
  struct FlushAttempt {
    bool under_way = false;
    absl::Status result;
    // The store's generation when the attempt began. Nothing if it failed.
    std::optional<uint64_t> generation;
  };

  boost::asio::awaitable<void> BringUp(uint32_t late);
  void MakeReader();
  template <typename Attempt>
  boost::asio::awaitable<absl::Status> RetryWhileUnavailable(Attempt attempt);

  const Dependencies parts_;
  FaultyStore connection_;
  SiteDirectory sites_;
  std::unique_ptr<LaneGroup> group_;
  std::vector<FlushAttempt> attempts_;
  // By lane: its identity after Open.
  std::vector<LaneId> opened_;
  std::unique_ptr<CountCache> cache_;
  std::unique_ptr<CountReader> reader_;
  bool up_ = false;
  bool met_ = false;
  bool polling_ = false;
  absl::Status ended_;
  // The context comes after all other parts, so that its coroutines are destroyed first.
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
};

}  // namespace viewcount::simulation
