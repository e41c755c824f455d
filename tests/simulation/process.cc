#include "tests/simulation/process.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "service/base/status.h"
#include "service/lane/fenced_cursors.h"
#include "service/model/lane_choice.h"
#include "tests/simulation/crash.h"

namespace viewcount::simulation {
namespace asio = boost::asio;

Process::Process(Dependencies parts)
    : parts_(parts),
      connection_(parts.store, parts.network),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE),
      guard_(asio::make_work_guard(context_)) {}

Process::~Process() {
  // Flushers and the reader have timers of the context, so they are destroyed before it. The context is destroyed
  // before the other objects that its coroutines refer to.
  for (const auto& entry : entries_) entry->flusher.reset();
  reader_.reset();
}

absl::Status Process::Open() {
  for (size_t i = 0; i < parts_.settings.lanes_per_machine; ++i) {
    auto directory = LaneDirectory::OpenUnlocked(parts_.machine.disk, parts_.machine.clock, Machine::LaneFolder(i));
    if (!directory.ok()) return directory.status();
    entries_.push_back(std::make_unique<Entry>(*std::move(directory)));
    if (auto status = Fill(*entries_.back()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Process::Fill(Entry& entry) {
  const std::string& folder = entry.directory.path();
  const LaneId lane = entry.directory.identity().id;
  Machine& machine = parts_.machine;
  entry.source = std::make_unique<JournalSource>(JournalSource{machine.disk, folder, lane, sites_, machine.clock});
  const Settings& settings = parts_.settings;
  const JournalWriter::Options journal{.folder = folder,
                                       .lane = lane,
                                       .segment_bytes = settings.segment_bytes,
                                       .budget_bytes = settings.segment_bytes * settings.segments_max,
                                       .retention = settings.retention};
  auto recovered = RecoverLane(*entry.source, journal);
  if (!recovered.ok()) return recovered.status();
  entry.journal = std::move(recovered->journal);
  entry.ledger = std::make_unique<Ledger>(lane, std::move(recovered->beginning));
  entry.lane = std::make_unique<Lane>(
      Lane::Dependencies{.disk = machine.disk,
                         .folder = folder,
                         .journal = *entry.journal,
                         .writers = std::move(recovered->writers),
                         .visits = std::move(recovered->visits),
                         .cool_downs = std::move(recovered->cool_downs),
                         .checkpoint = recovered->checkpoint,
                         .ledger = *entry.ledger,
                         .clock = machine.clock,
                         .metrics = parts_.metrics,
                         .failed = [](const absl::Status& status) { throw Crash{std::string(status.message())}; }});
  return absl::OkStatus();
}

void Process::Begin(uint32_t late) {
  asio::co_spawn(context_, BringUp(late), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  Poll();
}

void Process::Poll() {
  // While a coroutine writes to the disk, the other coroutines of its thread do not run.
  if (polling_) return;
  polling_ = true;
  try {
    context_.poll();
  } catch (...) {
    polling_ = false;
    throw;
  }
  polling_ = false;
}

template <typename Attempt>
asio::awaitable<absl::Status> Process::RetryWhileUnavailable(Attempt attempt) {
  while (true) {
    const absl::Status status = co_await attempt();
    if (status.ok() || !IsTransient(status)) co_return status;
    co_await parts_.network.Hang(&connection_);
  }
}

asio::awaitable<void> Process::BringUp(uint32_t late) {
  if (late > 0) {
    ended_ = BeginUnchecked();
    if (!ended_.ok()) co_return;
    MakeReader();
    up_ = true;
    for (; late > 0; --late) co_await parts_.network.Hang(&connection_);
  }
  const auto settle = [this] { return Settle(); };
  ended_ = co_await RetryWhileUnavailable(settle);
  if (!ended_.ok()) co_return;
  if (!up_) MakeReader();
  const auto start = [this] { return StartFlushing(); };
  auto status = co_await RetryWhileUnavailable(start);
  if (ended_.ok()) ended_ = std::move(status);
  up_ = met_ = ended_.ok();
}

void Process::MakeReader() {
  std::vector<CountCache::Lane> lanes;
  for (const auto& entry : entries_) lanes.push_back({entry->ledger.get(), entry->directory.identity().incarnation});
  cache_ = std::make_unique<CountCache>(std::move(lanes));
  reader_ = std::make_unique<CountReader>(connection_, *cache_, parts_.machine.clock);
  sites_.Listen(*this);
}

absl::Status Process::BeginUnchecked() {
  for (const auto& entry : entries_) {
    const Position end = entry->ledger->totals().position;
    if (auto status = entry->directory.BeginUnchecked(end); !status.ok()) return status;
    entry->unchecked = true;
  }
  return absl::OkStatus();
}

asio::awaitable<absl::Status> Process::Settle() {
  for (const auto& entry : entries_) {
    if (auto status = co_await SettleIdentity(*entry); !status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> Process::SettleIdentity(Entry& entry) {
  const LaneIdentity& identity = entry.directory.identity();
  Position stored_to;
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    const auto stored = co_await connection_.ReadLane(Shard{static_cast<uint8_t>(i)}, identity.id);
    if (!stored.ok()) co_return stored.status();
    if (!stored->entry) continue;
    const auto& known = identity.earlier;
    if (std::find(known.begin(), known.end(), stored->entry->incarnation) == known.end()) continue;
    stored_to = std::max(stored_to, stored->entry->cursor.to());
  }
  switch (entry.directory.Judge(stored_to, entry.ledger->totals().position, entry.unchecked)) {
    case LaneDirectory::Verdict::kKeep:
      co_return entry.directory.Begin();
    case LaneDirectory::Verdict::kFenceOff:
      co_return FenceOff(entry);
    case LaneDirectory::Verdict::kAbandon:
      break;
  }
  co_return Abandon(entry);
}

absl::Status Process::FenceOff(const Entry& entry) {
  NoteFenced(parts_.machine.disk, entry.directory.path(), *entry.ledger, entry.directory.unchecked());
  return ErrorWithReason(absl::StatusCode::kAborted, "the journal is an older copy", "FENCED");
}

absl::Status Process::Abandon(Entry& entry) {
  ++abandoned_;
  const SteadyTime now = parts_.machine.clock.Now();
  const std::string imports =
      entry.lane->writer_table().Split([](const WriterId&, bool import) { return import; }, now);
  entry.lane.reset();
  entry.ledger.reset();
  entry.journal.reset();
  if (auto status = entry.directory.Abandon(); !status.ok()) return status;
  if (auto status = Fill(entry); !status.ok()) return status;
  if (auto status = entry.lane->writer_table().Merge(imports, now); !status.ok()) return status;
  return entry.lane->WriteCheckpointNow();
}

void Process::MakeFlusher(Entry& entry) {
  entry.flusher =
      std::make_unique<Flusher>(context_.get_executor(),
                                Flusher::Dependencies{.ledger = *entry.ledger,
                                                      .store = connection_,
                                                      .listener = *cache_,
                                                      .journal = *entry.journal,
                                                      .source = *entry.source,
                                                      .clock = parts_.machine.clock,
                                                      .metrics = parts_.metrics,
                                                      .blocking = context_.get_executor()},
                                Flusher::Options{.lane = entry.directory.identity(),
                                                 .part_articles_max = parts_.settings.part_articles_max,
                                                 .fenced = [this](const absl::Status& status) { ended_ = status; },
                                                 .released = [lane = entry.lane.get()] { lane->AnswerStored(); }});
}

asio::awaitable<absl::Status> Process::StartFlushing() {
  for (const auto& entry : entries_) {
    if (entry->flusher == nullptr) MakeFlusher(*entry);
    const absl::Status status = co_await entry->flusher->Recover();
    if (ReasonOf(status) == "BEYOND_JOURNAL" && entry->directory.unchecked()) co_return FenceOff(*entry);
    if (!status.ok()) co_return status;
  }
  for (const auto& entry : entries_) {
    if (auto status = entry->directory.EndUnchecked(); !status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

void Process::PutSite(const std::string& name, const std::string& zone) {
  const auto cool_down = parts_.settings.cool_down ? limits::kCoolDownMax : std::chrono::seconds(0);
  VIEWCOUNT_CHECK(sites_.Put(*MakeSite(name, {.time_zone = zone, .cool_down = cool_down})).ok());
}

void Process::SiteChanged(std::shared_ptr<const Site> site) {
  for (const auto& entry : entries_) entry->lane->ApplySite(site);
}

Lane& Process::LaneOf(const WriterId& writer) { return *entries_[LaneOfWriter(writer, entries_.size())]->lane; }

void Process::Flush(size_t number) {
  Entry& entry = *entries_[number];
  if (entry.flushing || !met_) return;
  entry.flushing = true;
  entry.generation = parts_.store.generation();
  asio::co_spawn(context_, entry.flusher->Step(), [&entry](const std::exception_ptr& error, absl::Status status) {
    entry.flushing = false;
    if (error) std::rethrow_exception(error);
    if (!status.ok()) entry.generation.reset();
    entry.flushed = std::move(status);
  });
  Poll();
}

bool Process::KnowsStore(size_t number) const { return entries_[number]->generation == parts_.store.generation(); }

}  // namespace viewcount::simulation
