#include "service/store/redis/redis_store.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <exception>
#include <map>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/store/redis/key_scan.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/lane_entry.h"
#include "service/store/redis/part_arguments.h"
#include "service/store/redis/snapshot.h"
#include "service/store/redis/store_audit.h"
#include "service/store/redis/torn_shard.h"
#include "service/store/redis/viewer_calls.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

// Returns whether a connection ended because of the server's state, not because the line broke.
bool IsAboutServer(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  return IsRefusal(status) || reason == "REDIS_READONLY" || reason == "REDIS_MASTERDOWN" || reason == "REDIS_LOADING";
}

// The command that reads the entries of lanes, and whether the shard is whole: see ReadWhole.
struct LanesCommand {
  LanesCommand(Shard shard, const std::vector<LaneId>& lanes) : key(keys::Lanes(shard)) {
    words = {"HMGET", key};
    fields.reserve(lanes.size());
    for (const LaneId& lane : lanes) words.push_back(fields.emplace_back(ToHex(lane)));
    words.push_back(kUndoField);
  }
  std::string key;
  std::vector<std::string> fields;
  RedisCommand words;
};

// The field of the totals hash that HashVersion::adjusted_parts is read from.
constexpr std::string_view kAdjustedPartsField = "adjusted_parts";

// Converts the reply to a ZRANGE of up to `articles_max` members.
absl::StatusOr<Ranking> RankingOf(Reply reply, size_t articles_max) {
  Ranking ranking;
  std::vector<Reply>& entries = reply.elements;
  ranking.articles.reserve(entries.size() / 2);
  for (size_t i = 0; i + 1 < entries.size(); i += 2) {
    // The empty member is not an article. It keeps the ranking from vanishing.
    if (entries[i].text.empty()) continue;
    const auto score = CountOf(entries[i + 1]);
    if (!score.ok()) return score.status();
    // Scores are the totals with the opposite sign.
    ranking.articles.push_back({std::move(entries[i].text), -*score});
  }
  if (ranking.articles.size() >= articles_max) {
    ranking.unlisted_views_max = static_cast<uint64_t>(std::max<int64_t>(1, ranking.articles.back().views));
  }
  return ranking;
}

}  // namespace

RedisStore::RedisStore(asio::any_io_executor executor, Options options, Metrics& metrics)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      scripts_(options_.edit_script),
      metrics_(metrics),
      writer_(MakeChannel(true)),
      reader_(MakeChannel(false)),
      changed_(executor_),
      look_timer_(executor_),
      data_set_(options_.data_set) {}

RedisStore::~RedisStore() { Close(); }

RedisStore::Channel RedisStore::MakeChannel(bool writes) {
  const auto self = [this, writes]() -> Channel& { return writes ? writer_ : reader_; };
  Channel channel;
  channel.connection = std::make_unique<RedisConnection>(
      executor_, options_.address,
      RedisConnection::Events{
          .prepare = [this, self](RedisConnection&) { return Prepare(self()); },
          .up = [this, self] { ChannelUp(self()); },
          .down = [this, self](const absl::Status& status) { ChannelDown(self(), status); },
      },
      options_.resolve);
  return channel;
}

asio::awaitable<absl::Status> RedisStore::Open() {
  if (!std::exchange(connecting_, true)) {
    writer_.connection->Open();
    reader_.connection->Open();
  }
  while (!(writer_.ready && reader_.ready)) {
    if (!refusal_.ok()) co_return refusal_;
    if (closed_) co_return absl::CancelledError("closed");
    co_await changed_.Wait();
  }
  opened_ = true;
  asio::co_spawn(executor_, Watch(), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
  co_return absl::OkStatus();
}

void RedisStore::Close() {
  closed_ = true;
  changed_.NotifyAll();
  look_timer_.cancel();
  writer_.connection->Close();
  reader_.connection->Close();
  writer_.ready = reader_.ready = false;
  metrics_.redis_up.Set(0);
}

asio::awaitable<absl::Status> RedisStore::Prepare(Channel& channel) {
  const DataSetId expected = data_set();
  const auto result = co_await Preflight(*channel.connection, expected, options_.address.user, options_.waivers);
  if (!result.ok()) co_return result.status();
  if (expected.IsNone()) {
    if (auto status = options_.keep_data_set(result->data_set); !status.ok()) {
      co_return absl::FailedPreconditionError(status.message());
    }
    const MutexLock lock(mutex_);
    data_set_ = result->data_set;
  } else if (result->begun) {
    metrics_.store_rollbacks.Increment();
    spdlog::error("Redis was empty where data set {} should be; it begins again, with what the journals still hold",
                  ToHex(expected));
  }
  channel.run_id = result->run_id;
  if (&channel == &writer_) {
    NoteEvicted(result->run_id, result->evicted_keys);
    Warn(result->warning);
  }
  co_return absl::OkStatus();
}

void RedisStore::ChannelUp(Channel& channel) {
  channel.ready = true;
  ++channel.life;
  // The generation grows before anything is sent, because parts are sent as soon as their own channel is up.
  ++generation_;
  if (Channel& other = OtherOf(channel); other.ready && other.run_id != channel.run_id) {
    // The other connection leads to the server that was here before.
    other.connection->Reconnect(AnotherServer());
    return;
  }
  if (!(writer_.ready && reader_.ready)) return;
  if (std::exchange(connected_before_, true)) metrics_.redis_reconnects.Increment();
  metrics_.redis_up.Set(1);
  problem_lines_.Reset();
  SetProblem("");
  spdlog::info("Redis at {} is ready, data set {}", options_.address.ToString(), ToHex(data_set()));
  changed_.NotifyAll();
}

void RedisStore::ChannelDown(Channel& channel, const absl::Status& status) {
  channel.ready = false;
  down_ = status;
  metrics_.redis_up.Set(0);
  const std::string problem = fmt::format("Redis at {}: {}", options_.address.ToString(), ToStd(status.message()));
  SetProblem(problem);
  if (IsRefusal(status)) refusal_ = status;
  // A verdict on the server holds for both connections, although Redis breaks neither of them.
  if (IsAboutServer(status) && OtherOf(channel).ready) OtherOf(channel).connection->Reconnect(status);
  if (problem_lines_.Take()) {
    // Before Open returns, its caller reports a refusal.
    if (opened_ && IsRefusal(status)) {
      spdlog::error("{}; nothing is flushed until that is right, and views stay in the journal; trying again", problem);
    } else if (opened_ || refusal_.ok()) {
      spdlog::warn("{}; trying again", problem);
    }
  }
  changed_.NotifyAll();
}

absl::Status RedisStore::AnotherServer() {
  return absl::UnavailableError("another server answers at this address now");
}

void RedisStore::SetProblem(std::string problem) {
  const MutexLock lock(mutex_);
  problem_ = std::move(problem);
  // A refusal that an earlier connection received does not hold any more.
  refuses_writes_ = false;
  refused_writes_.clear();
}

std::string RedisStore::problem() const {
  const MutexLock lock(mutex_);
  return problem_;
}

DataSetId RedisStore::data_set() const {
  const MutexLock lock(mutex_);
  return data_set_;
}

absl::Status RedisStore::Away() const {
  absl::Status away = RetryLater(absl::StatusCode::kUnavailable, problem(), limits::kRetryDelay);
  // The reason is copied too, so that a caller that counts errors by reason counts this one correctly.
  down_.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    if (!away.GetPayload(url)) away.SetPayload(url, payload);
  });
  return away;
}

asio::awaitable<absl::StatusOr<Claimed>> RedisStore::Claim(Shard shard, const LaneIdentity& lane) {
  if (!writer_.ready) co_return Away();
  const std::string lanes_key = keys::Lanes(shard);
  const std::string totals_key = keys::Totals(shard);
  std::vector<std::string> words = {ToHex(lane.id), ToHex(lane.incarnation)};
  for (const Incarnation& earlier : lane.earlier) words.push_back(ToHex(earlier));
  // A claim may be repeated. The stored incarnation is then already the new one.
  words.push_back(ToHex(lane.incarnation));
  const std::vector<std::string_view> keys = {lanes_key, totals_key};
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  const auto reply = co_await RunOnShard(shard, scripts_.claim, keys, arguments);
  if (!reply.ok()) co_return reply.status();
  co_return ClaimedOf(shard, lane.id, *reply);
}

asio::awaitable<absl::StatusOr<Reply>> RedisStore::RunOnShard(Shard shard, const Script& script,
                                                              const std::vector<std::string_view>& keys,
                                                              const std::vector<std::string_view>& arguments) {
  for (int attempt = 0; attempt < limits::kRestoreAttemptsMax; ++attempt) {
    auto reply = co_await script.Run(*writer_.connection, keys, arguments);
    NoteWrite(reply.status());
    if (!reply.ok() || !IsTorn(*reply)) co_return reply;
    if (auto status = co_await Restore(shard); !status.ok()) co_return status;
  }
  co_return absl::AbortedError(fmt::format("shard {:02} was torn again whenever it was whole", shard.value));
}

asio::awaitable<absl::StatusOr<std::vector<Reply>>> RedisStore::ReadWhole(Shard shard,
                                                                          const std::vector<RedisCommand>& commands) {
  for (int attempt = 0; attempt < limits::kRestoreAttemptsMax; ++attempt) {
    auto replies = co_await ReadTogether(*reader_.connection, commands);
    if (!replies.ok()) co_return replies.status();
    std::vector<Reply>& lanes = replies->front().elements;
    if (lanes.empty()) co_return absl::DataLossError("Redis answered HMGET with too few values");
    const bool whole = lanes.back().text.empty();
    lanes.pop_back();
    if (whole) co_return replies;
    if (auto status = co_await Restore(shard); !status.ok()) co_return status;
  }
  co_return absl::AbortedError(fmt::format("shard {:02} was torn again whenever it was whole", shard.value));
}

asio::awaitable<absl::Status> RedisStore::Restore(Shard shard) {
  if (!writer_.ready) co_return Away();
  const auto restored = co_await RestoreShard(*writer_.connection, scripts_.restore, shard);
  if (restored.ok() && *restored) metrics_.store_torn_parts.Increment();
  co_return restored.status();
}

asio::awaitable<absl::StatusOr<StoredLane>> RedisStore::ReadLane(Shard shard, const LaneId& lane) {
  if (!reader_.ready) co_return Away();
  const LanesCommand lanes_command(shard, {lane});
  const std::string totals_key = keys::Totals(shard);
  const auto fields = TotalsFieldsOf(ToHex(lane));
  RedisCommand totals = {"HMGET", totals_key};
  totals.insert(totals.end(), fields.begin(), fields.end());
  const std::vector<RedisCommand> commands = {lanes_command.words, totals};
  const auto replies = co_await ReadWhole(shard, commands);
  if (!replies.ok()) co_return replies.status();
  co_return StoredLaneOf(shard, lane, (*replies)[0].elements[0], (*replies)[1]);
}

asio::awaitable<absl::StatusOr<ApplyResult>> RedisStore::Apply(const Part& part) {
  if (auto status = co_await AddViewers(part.shard, part.viewers); !status.ok()) co_return status;
  const PartArguments arguments(part, options_.ranked);
  const auto reply = co_await RunOnShard(part.shard, scripts_.apply, arguments.keys(), arguments.words());
  if (!reply.ok()) co_return reply.status();
  co_return ApplyResultOf(part, *reply);
}

asio::awaitable<absl::Status> RedisStore::AddViewers(Shard shard, const std::vector<ViewerSet>& sets) {
  if (!writer_.ready) co_return Away();
  const ViewerCalls calls(shard, sets);
  for (const ViewerCall& call : calls.calls()) {
    const auto reply = co_await scripts_.viewers.Run(*writer_.connection, call.keys, call.arguments);
    if (!reply.ok()) co_return reply.status();
    // A key of another type must not prevent the counts from being applied.
    for (const Reply& key : reply->elements)
      if (viewer_lines_.Take())
        spdlog::error("{} holds no viewers, but something else: those of now are not noted", key.text);
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::Status> RedisStore::RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) {
  if (!writer_.ready) co_return Away();
  if (lanes.empty()) co_return absl::OkStatus();
  const std::string lanes_key = keys::Lanes(shard);
  const std::string totals_key = keys::Totals(shard);
  const std::vector<std::string_view> keys = {lanes_key, totals_key};
  for (const LaneId& lane : lanes) {
    const std::string id = ToHex(lane);
    const std::vector<std::string_view> arguments = {id};
    const auto reply = co_await RunOnShard(shard, scripts_.remove, keys, arguments);
    if (!reply.ok()) co_return reply.status();
    if (reply->elements.empty() || reply->elements[0].text != "REMOVED") {
      co_return absl::DataLossError(fmt::format("{} holds something that is no number", totals_key));
    }
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<ShardCounts>> RedisStore::ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                    std::string_view site,
                                                                    const std::vector<Window>& windows,
                                                                    const std::vector<std::string_view>& ids) {
  if (!reader_.ready) co_return Away();
  const LanesCommand lanes_command(shard, lanes);
  std::deque<std::string> keys;
  std::vector<RedisCommand> commands = {lanes_command.words};
  for (const Window& window : windows) {
    if (window.kind == Window::Kind::kViewers) {
      for (const std::string_view id : ids) {
        const ViewerSetName set{.kind = ViewerSetName::Kind::kArticle, .article_id = id};
        const RedisCommand command = {"PFCOUNT", keys.emplace_back(keys::Viewers(shard, site, set))};
        commands.push_back(command);
      }
      continue;
    }
    RedisCommand command = {"HMGET", keys.emplace_back(keys::Counts(shard, site, window))};
    command.insert(command.end(), ids.begin(), ids.end());
    commands.push_back(std::move(command));
  }
  const auto replies = co_await ReadWhole(shard, commands);
  if (!replies.ok()) co_return replies.status();
  ShardCounts result;
  result.lanes = LaneEntriesOf(replies->front());
  size_t at = 1;
  for (const Window& window : windows) {
    auto& counts = result.counts.emplace_back();
    if (window.kind == Window::Kind::kViewers) {
      for (size_t i = 0; i < ids.size(); ++i) counts.push_back((*replies)[at++].integer);
      continue;
    }
    for (const Reply& element : (*replies)[at++].elements) {
      const auto count = CountOf(element);
      if (!count.ok()) co_return count.status();
      counts.push_back(*count);
    }
  }
  co_return result;
}

asio::awaitable<absl::StatusOr<std::vector<uint64_t>>> RedisStore::EstimateViewers(
    Shard shard, std::string_view site, const std::vector<std::vector<ViewerSetName>>& unions) {
  if (!reader_.ready) co_return Away();
  std::deque<std::string> keys;
  std::vector<RedisCommand> commands;
  for (const auto& sets : unions) {
    RedisCommand& command = commands.emplace_back(RedisCommand{"PFCOUNT"});
    for (const ViewerSetName& set : sets) command.push_back(keys.emplace_back(keys::Viewers(shard, site, set)));
  }
  const auto replies = co_await ReadTogether(*reader_.connection, commands);
  if (!replies.ok()) co_return replies.status();
  std::vector<uint64_t> estimates;
  for (const Reply& reply : *replies) estimates.push_back(static_cast<uint64_t>(reply.integer));
  co_return estimates;
}

asio::awaitable<absl::StatusOr<ShardWindows>> RedisStore::ReadWindows(Shard shard, const std::vector<LaneId>& lanes,
                                                                      std::string_view site,
                                                                      const std::vector<WindowRead>& reads) {
  if (!reader_.ready) co_return Away();
  const LanesCommand lanes_command(shard, lanes);
  const std::string totals_key = keys::Totals(shard);
  const auto places_of = [this](const WindowRead& read) {
    return std::min<size_t>(options_.ranked.Of(read.window.kind), read.places);
  };
  std::deque<std::string> words;
  std::vector<RedisCommand> commands = {lanes_command.words, {"HMGET", totals_key, kAdjustedPartsField}};
  for (const WindowRead& read : reads) {
    // The sum comes first. It is part of the version.
    RedisCommand& counts =
        commands.emplace_back(RedisCommand{"HMGET", words.emplace_back(keys::Counts(shard, site, read.window)), ""});
    counts.insert(counts.end(), read.ids.begin(), read.ids.end());
    if (read.places == 0) continue;
    const std::string& ranking = words.emplace_back(keys::Ranking(shard, site, read.window));
    const std::string& last = words.emplace_back(std::to_string(places_of(read) - 1));
    commands.push_back(RedisCommand{"ZRANGE", ranking, "0", last, "WITHSCORES"});
  }
  auto replies = co_await ReadWhole(shard, commands);
  if (!replies.ok()) co_return replies.status();
  ShardWindows result;
  result.lanes = LaneEntriesOf((*replies)[0]);
  const int64_t adjusted_parts = CountOf((*replies)[1].elements.at(0)).value_or(0);
  size_t at = 2;
  for (const WindowRead& read : reads) {
    WindowState& state = result.windows.emplace_back();
    const std::vector<Reply>& elements = (*replies)[at++].elements;
    // Nothing is added to a hash whose sum is unusable. The audit reports it.
    state.version = {CountOf(elements.at(0)).value_or(0), adjusted_parts};
    for (size_t i = 1; i < elements.size(); ++i) {
      const auto count = CountOf(elements[i]);
      if (!count.ok()) co_return count.status();
      state.counts.push_back(*count);
    }
    if (read.places == 0) continue;
    auto ranking = RankingOf(std::move((*replies)[at++]), places_of(read));
    if (!ranking.ok()) co_return ranking.status();
    state.ranking = *std::move(ranking);
  }
  co_return result;
}

asio::awaitable<absl::StatusOr<std::set<Window>>> RedisStore::ListWindows(std::string_view site) {
  if (!reader_.ready) co_return Away();
  const auto hashes = co_await ScanHashes(*reader_.connection, std::nullopt);
  if (!hashes.ok()) co_return hashes.status();
  std::set<Window> windows;
  for (const auto& names : *hashes) {
    for (const std::string& text : names) {
      const auto name = HashName::Parse(text);
      if (name->site != site) continue;
      if (const auto window = keys::WindowOfName(name->window)) windows.insert(*window);
    }
  }
  co_return windows;
}

asio::awaitable<absl::StatusOr<ArticleScan>> RedisStore::ScanArticles(Shard shard, std::string_view site, Window window,
                                                                      std::string_view cursor) {
  if (!reader_.ready) co_return Away();
  const std::string key = keys::Counts(shard, site, window);
  const RedisCommand command = {"HSCAN", key, cursor.empty() ? "0" : cursor, "COUNT", "1000"};
  auto reply = Expect(co_await reader_.connection->Execute(command), Reply::Kind::kArray, "HSCAN");
  if (!reply.ok()) co_return reply.status();
  if (reply->elements.size() != 2) co_return absl::DataLossError("Redis answered HSCAN with something else");
  ArticleScan scan;
  std::vector<Reply>& words = reply->elements[1].elements;
  for (size_t i = 0; i + 1 < words.size(); i += 2) scan.ids.push_back(std::move(words[i].text));
  if (reply->elements[0].text != "0") scan.cursor = std::move(reply->elements[0].text);
  co_return scan;
}

asio::awaitable<absl::StatusOr<std::vector<StoredNote>>> RedisStore::ReadNotes(Shard shard, std::string_view site) {
  if (!reader_.ready) co_return Away();
  const LanesCommand lanes_command(shard, {});
  const std::vector<RedisCommand> only_whole = {lanes_command.words};
  if (const auto whole = co_await ReadWhole(shard, only_whole); !whole.ok()) co_return whole.status();
  const std::string key = keys::Notes(shard, site);
  // Reads in steps, since the number of notes is not limited. A field may be returned twice.
  std::map<std::string, std::string> notes;
  std::string cursor = "0";
  do {
    const RedisCommand command = {"HSCAN", key, cursor, "COUNT", "1000"};
    auto reply = Expect(co_await reader_.connection->Execute(command), Reply::Kind::kArray, "HSCAN");
    if (!reply.ok()) co_return reply.status();
    if (reply->elements.size() != 2) co_return absl::DataLossError("Redis answered HSCAN with something else");
    std::vector<Reply>& words = reply->elements[1].elements;
    for (size_t i = 0; i + 1 < words.size(); i += 2) notes[words[i].text] = std::move(words[i + 1].text);
    cursor = reply->elements[0].text;
  } while (cursor != "0");
  std::vector<StoredNote> result;
  // The empty field is not a note. It keeps the hash from vanishing.
  notes.erase("");
  for (auto& [field, text] : notes) result.push_back({field, std::move(text)});
  co_return result;
}

asio::awaitable<absl::StatusOr<AuditReport>> RedisStore::Audit() {
  if (!reader_.ready) co_return Away();
  const auto restore = [this](Shard shard) { return Restore(shard); };
  StoreAudit audit(*reader_.connection, options_.ranked, restore);
  co_return co_await audit.Run();
}

asio::awaitable<absl::Status> RedisStore::Repair(const StoreRepairs& repairs) {
  if (!writer_.ready) co_return Away();
  const auto run = [this](Shard shard, std::vector<std::string> more_keys,
                          std::vector<std::string> words) -> asio::awaitable<absl::Status> {
    more_keys.insert(more_keys.begin(), {keys::Lanes(shard), keys::Totals(shard)});
    const std::vector<std::string_view> keys(more_keys.begin(), more_keys.end());
    const std::vector<std::string_view> arguments(words.begin(), words.end());
    const auto reply = co_await RunOnShard(shard, scripts_.repair, keys, arguments);
    if (!reply.ok()) co_return reply.status();
    if (reply->elements.size() == 1 && reply->elements[0].text == "REPAIRED") co_return absl::OkStatus();
    co_return absl::DataLossError(
        fmt::format("{} holds no number for \"{}\", or one too large", keys[1], reply->elements.back().text));
  };
  std::map<uint8_t, std::vector<std::string>> totals;
  for (const TotalsRepair& repair : repairs.totals) {
    std::vector<std::string>& words = totals[repair.shard.value];
    // The script accepts each field once.
    const auto same = std::find(words.begin(), words.end(), repair.field);
    if (same != words.end()) co_return absl::InternalError(fmt::format("two repairs of {}", repair.field));
    words.push_back(repair.field);
    words.push_back(std::to_string(repair.add));
  }
  for (auto& [shard, words] : totals) {
    std::vector<std::string> no_keys;
    auto status = co_await run(Shard{shard}, std::move(no_keys), std::move(words));
    if (!status.ok()) co_return status;
  }
  for (const RankingRepair& repair : repairs.rankings) {
    std::vector<std::string> hash_keys = {repair.hash_key, repair.ranking_key};
    std::vector<std::string> words = {std::to_string(repair.ranked)};
    auto status = co_await run(repair.shard, std::move(hash_keys), std::move(words));
    if (!status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

}  // namespace viewcount
