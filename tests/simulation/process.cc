#include "tests/simulation/process.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "service/base/status.h"
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
  if (group_ != nullptr) {
    for (const auto& lane : group_->lanes()) lane->DropFlusher();
  }
  reader_.reset();
}

absl::Status Process::Open() {
  const Settings& settings = parts_.settings;
  auto group =
      LaneGroup::Open({.disk = parts_.machine.disk,
                       .sites = sites_,
                       .clock = parts_.machine.clock,
                       .metrics = parts_.metrics,
                       .blocking = context_.get_executor()},
                      {.data_dir = Machine::kDataFolder,
                       .count = parts_.lanes,
                       .lane = {.journal_budget_bytes = settings.segment_bytes * settings.segments_max,
                                .journal_retention = settings.retention,
                                .segment_bytes = settings.segment_bytes,
                                .part_articles_max = settings.part_articles_max,
                                .failed = [](const absl::Status& why) { throw Crash{std::string(why.message())}; }},
                       .locked = false});
  if (!group.ok()) return group.status();
  group_ = *std::move(group);
  attempts_.resize(lanes());
  for (const auto& lane : group_->lanes()) opened_.push_back(lane->identity().id);
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
    ended_ = group_->BeginUnchecked();
    if (!ended_.ok()) co_return;
    MakeReader();
    up_ = true;
    for (; late > 0; --late) co_await parts_.network.Hang(&connection_);
  }
  const auto settle = [this] { return group_->Settle(connection_); };
  ended_ = co_await RetryWhileUnavailable(settle);
  if (!ended_.ok()) co_return;
  if (!up_) MakeReader();
  const auto fenced = [this](const absl::Status& status) { ended_ = status; };
  const LaneRuntime::FlushParts flush{.store = connection_, .listener = *cache_, .fenced = fenced};
  const auto recover = [&] { return group_->Recover(flush); };
  auto status = co_await RetryWhileUnavailable(recover);
  if (ended_.ok()) ended_ = std::move(status);
  up_ = met_ = ended_.ok();
}

void Process::MakeReader() {
  cache_ = std::make_unique<CountCache>(group_->cached_lanes());
  reader_ = std::make_unique<CountReader>(connection_, *cache_, parts_.machine.clock);
  sites_.Listen(*this);
}

uint32_t Process::abandoned() const {
  uint32_t abandoned = 0;
  for (size_t i = 0; i < opened_.size(); ++i) abandoned += identity(i).id != opened_[i];
  return abandoned;
}

void Process::PutSite(const std::string& name, const std::string& zone) {
  const auto cool_down = parts_.settings.cool_down ? limits::kCoolDownMax : std::chrono::seconds(0);
  VIEWCOUNT_CHECK(sites_.Put(*MakeSite(name, {.time_zone = zone, .cool_down = cool_down})).ok());
}

void Process::SiteChanged(std::shared_ptr<const Site> site) {
  for (const auto& lane : group_->lanes()) lane->lane().ApplySite(site);
}

Lane& Process::LaneOf(const WriterId& writer) { return lane(LaneOfWriter(writer, parts_.lanes)); }

void Process::Maintain(size_t number) {
  lane(number).Maintain();
  if (met_) group_->MarkRetired(parts_.settings.retention);
}

void Process::Flush(size_t number) {
  FlushAttempt& attempt = attempts_[number];
  if (attempt.under_way || !met_) return;
  attempt.under_way = true;
  attempt.generation = parts_.store.generation();
  asio::co_spawn(context_, group_->lanes()[number]->flusher()->Step(),
                 [&attempt](const std::exception_ptr& error, absl::Status status) {
                   attempt.under_way = false;
                   if (error) std::rethrow_exception(error);
                   if (!status.ok()) attempt.generation.reset();
                   attempt.result = std::move(status);
                 });
  Poll();
}

bool Process::KnowsStore(size_t number) const { return attempts_[number].generation == parts_.store.generation(); }

}  // namespace viewcount::simulation
