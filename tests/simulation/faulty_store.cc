#include "tests/simulation/faulty_store.h"

#include <memory>
#include <utility>

#include "tests/simulation/owned_part.h"

namespace viewcount::simulation {
namespace asio = boost::asio;

namespace {

// Calls that only read have no effect when they are late.
void NoDelay() {}

}  // namespace

FaultyStore::Fate FaultyStore::Draw() const {
  const NetworkFaults& faults = network_.faults;
  Random& random = network_.random();
  if (random.Chance(faults.lose)) return Fate::kLost;
  if (random.Chance(faults.late)) return Fate::kLate;
  if (random.Chance(faults.lose_answer)) return Fate::kAnswerLost;
  if (random.Chance(faults.out_of_memory)) return Fate::kOutOfMemory;
  return Fate::kGood;
}

void FaultyStore::DrawRefusal() const {
  const NetworkFaults& faults = network_.faults;
  Random& random = network_.random();
  // Worlds without these faults draw no random numbers here, so that their runs did not change when the faults were
  // added.
  if (faults.refuse > 0 && random.Chance(faults.refuse)) {
    store_.RefuseNext();
  } else if (faults.tear > 0 && random.Chance(faults.tear)) {
    store_.TearNext(random.Between(1, 12));
  }
}

template <typename Result, typename Execute, typename DelayIt>
asio::awaitable<Result> FaultyStore::Carry(Execute execute, DelayIt delay, uint32_t hang) {
  const Fate fate = Draw();
  Random& random = network_.random();
  if (random.Chance(hang)) {
    const bool whole = co_await network_.Hang(this);
    if (!whole) {
      if (random.Half()) delay();
      co_return absl::UnavailableError("the connection broke");
    }
  }
  if (fate == Fate::kOutOfMemory) co_return absl::ResourceExhaustedError("no memory");
  if (fate == Fate::kLate) delay();
  if (fate == Fate::kLost || fate == Fate::kLate) co_return absl::DeadlineExceededError("no answer");
  Result result = co_await execute();
  if (random.Chance(network_.faults.hang)) {
    const bool whole = co_await network_.Hang(this);
    if (!whole) co_return absl::UnavailableError("the connection broke");
  }
  if (fate == Fate::kAnswerLost) co_return absl::UnavailableError("the answer was lost");
  co_return result;
}

asio::awaitable<absl::StatusOr<Claimed>> FaultyStore::Claim(Shard shard, const LaneIdentity& lane) {
  const auto execute = [&] { return store_.Claim(shard, lane); };
  const auto delay = [&] {
    network_.Delay(
        [&store = store_, shard, copy = lane]() -> asio::awaitable<void> { (void)co_await store.Claim(shard, copy); });
  };
  co_return co_await Carry<absl::StatusOr<Claimed>>(execute, delay, network_.faults.hang);
}

asio::awaitable<absl::StatusOr<ApplyResult>> FaultyStore::Apply(const Part& part) {
  const auto execute = [&] {
    DrawRefusal();
    return store_.Apply(part);
  };
  const auto delay = [&] {
    const auto copy = std::make_shared<const OwnedPart>(part);
    network_.Delay([&store = store_, copy]() -> asio::awaitable<void> { (void)co_await store.Apply(copy->part()); });
  };
  // Most parts are empty. A part with views hangs more often, so that it meets a store that has changed meanwhile.
  const uint32_t hang = part.hashes.empty() ? network_.faults.hang : 4 * network_.faults.hang;
  co_return co_await Carry<absl::StatusOr<ApplyResult>>(execute, delay, hang);
}

asio::awaitable<absl::StatusOr<StoredLane>> FaultyStore::ReadLane(Shard shard, const LaneId& lane) {
  const auto execute = [&] { return store_.ReadLane(shard, lane); };
  co_return co_await Carry<absl::StatusOr<StoredLane>>(execute, NoDelay, network_.faults.hang);
}

asio::awaitable<absl::StatusOr<ShardCounts>> FaultyStore::ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                     std::string_view site,
                                                                     const std::vector<Window>& windows,
                                                                     const std::vector<std::string_view>& ids) {
  const auto execute = [&] { return store_.ReadCounts(shard, lanes, site, windows, ids); };
  co_return co_await Carry<absl::StatusOr<ShardCounts>>(execute, NoDelay, network_.faults.hang);
}

asio::awaitable<absl::Status> FaultyStore::RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) {
  DrawRefusal();
  return store_.RemoveLanes(shard, lanes);
}

asio::awaitable<absl::Status> FaultyStore::AddViewers(Shard shard, const std::vector<ViewerSet>& sets) {
  return store_.AddViewers(shard, sets);
}

asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> FaultyStore::EstimateViewers(
    Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) {
  return store_.EstimateViewers(shard, site, unions);
}

asio::awaitable<absl::StatusOr<ShardWindows>> FaultyStore::ReadWindows(Shard shard, const std::vector<LaneId>& lanes,
                                                                       std::string_view site,
                                                                       const std::vector<WindowRead>& reads) {
  return store_.ReadWindows(shard, lanes, site, reads);
}

asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> FaultyStore::ReadNotes(Shard shard, std::string_view site) {
  return store_.ReadNotes(shard, site);
}

asio::awaitable<absl::StatusOr<ArticleScan>> FaultyStore::ScanArticles(Shard shard, std::string_view site,
                                                                       Window window, std::string_view cursor) {
  return store_.ScanArticles(shard, site, window, cursor);
}

asio::awaitable<absl::StatusOr<std::set<Window>>> FaultyStore::ListWindows(std::string_view site) {
  return store_.ListWindows(site);
}

}  // namespace viewcount::simulation
