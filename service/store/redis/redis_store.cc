#include "service/store/redis/redis_store.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/store/redis/apply_lua.h"
#include "service/store/redis/claim_lua.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/part_arguments.h"
#include "service/store/redis/script.h"

namespace viewcount {
namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kLogEvery{10};

const Script& ApplyScript() {
  static const Script script(kApplyLua);
  return script;
}

const Script& ClaimScript() {
  static const Script script(kClaimLua);
  return script;
}

// What HMGET on a lanes hash answered, lane by lane. Entries that nobody of us wrote count as unknown: the next apply
// will meet them and say so.
std::vector<std::optional<LaneEntry>> LaneEntriesOf(const Reply& reply) {
  std::vector<std::optional<LaneEntry>> lanes;
  for (const Reply& element : reply.elements) lanes.push_back(ParseLaneEntry(element.text));
  return lanes;
}

struct LanesCommand {
  LanesCommand(Shard shard, const std::vector<LaneId>& lanes) : key(keys::Lanes(shard)) {
    words = {"HMGET", key};
    fields.reserve(lanes.size());
    for (const LaneId& lane : lanes) words.push_back(fields.emplace_back(ToHex(lane)));
  }
  std::string key;
  std::vector<std::string> fields;
  RedisCommand words;
};

}  // namespace

RedisStore::RedisStore(asio::any_io_executor executor, Options options, Metrics& metrics)
    : executor_(std::move(executor)),
      options_(std::move(options)),
      metrics_(metrics),
      writer_(MakeChannel(true)),
      reader_(MakeChannel(false)),
      changed_(executor_, steady_clock::time_point::max()),
      data_set_(options_.data_set) {}

RedisStore::~RedisStore() { Close(); }

RedisStore::Channel RedisStore::MakeChannel(bool writes) {
  const auto self = [this, writes]() -> Channel& { return writes ? writer_ : reader_; };
  Channel channel;
  channel.connection = std::make_unique<RedisConnection>(
      executor_, options_.address,
      RedisConnection::Events{
          .prepare = [this](RedisConnection& connection) { return Prepare(connection); },
          .up = [this, self] { ChannelUp(self()); },
          .down = [this, self](const absl::Status& status) { ChannelDown(self(), status); },
      });
  return channel;
}

asio::awaitable<absl::Status> RedisStore::Open() {
  writer_.connection->Open();
  reader_.connection->Open();
  while (!(writer_.ready && reader_.ready)) {
    if (!refusal_.ok()) co_return refusal_;
    if (closed_) co_return absl::CancelledError("closed");
    boost::system::error_code ignored;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  opened_ = true;
  co_return absl::OkStatus();
}

void RedisStore::Close() {
  closed_ = true;
  changed_.cancel();
  writer_.connection->Close();
  reader_.connection->Close();
  writer_.ready = reader_.ready = false;
  metrics_.redis_up.Set(0);
}

asio::awaitable<absl::Status> RedisStore::Prepare(RedisConnection& connection) {
  const DataSetId expected = data_set();
  const auto result = co_await Preflight(connection, expected);
  if (!result.ok()) co_return result.status();
  if (expected.IsNone()) {
    if (auto status = options_.keep_data_set(result->data_set); !status.ok()) {
      co_return absl::FailedPreconditionError(status.message());
    }
    std::lock_guard lock(mutex_);
    data_set_ = result->data_set;
  } else if (result->begun) {
    metrics_.store_rollbacks.Increment();
    spdlog::error("Redis was empty where data set {} should be; it begins again, and what it held before is lost",
                  ToHex(expected));
  }
  if (!result->warning.empty() && &connection == writer_.connection.get()) spdlog::warn("{}", result->warning);
  co_return absl::OkStatus();
}

void RedisStore::ChannelUp(Channel& channel) {
  channel.ready = true;
  // Before anything is sent: parts go out as soon as their own channel is up.
  ++generation_;
  if (!(writer_.ready && reader_.ready)) return;
  if (std::exchange(connected_before_, true)) metrics_.redis_reconnects.Increment();
  metrics_.redis_up.Set(1);
  last_logged_ = {};
  SetProblem("");
  spdlog::info("Redis at {} is ready, data set {}", options_.address.ToString(), ToHex(data_set()));
  changed_.cancel();
}

void RedisStore::ChannelDown(Channel& channel, const absl::Status& status) {
  channel.ready = false;
  metrics_.redis_up.Set(0);
  const std::string problem = fmt::format("Redis at {}: {}", options_.address.ToString(), ToStd(status.message()));
  SetProblem(problem);
  if (IsRefusal(status)) refusal_ = status;
  const auto now = steady_clock::now();
  if (last_logged_ == steady_clock::time_point() || now - last_logged_ >= kLogEvery) {
    last_logged_ = now;
    // Before Open has returned the caller tells of a refusal.
    if (opened_ || refusal_.ok()) spdlog::warn("{}; trying again", problem);
  }
  changed_.cancel();
}

void RedisStore::SetProblem(std::string problem) {
  std::lock_guard lock(mutex_);
  problem_ = std::move(problem);
}

std::string RedisStore::problem() const {
  std::lock_guard lock(mutex_);
  return problem_;
}

DataSetId RedisStore::data_set() const {
  std::lock_guard lock(mutex_);
  return data_set_;
}

absl::Status RedisStore::Away() const {
  return RetryLater(absl::StatusCode::kUnavailable, problem(), limits::kRetryDelay);
}

asio::awaitable<absl::StatusOr<Cursor>> RedisStore::Claim(Shard shard, const LaneIdentity& lane) {
  if (!writer_.ready) co_return Away();
  const std::string key = keys::Lanes(shard);
  std::vector<std::string> words = {ToHex(lane.id), ToHex(lane.incarnation)};
  for (const Incarnation& earlier : lane.earlier) words.push_back(ToHex(earlier));
  // A claim may be repeated: the incarnation is then already the new one.
  words.push_back(ToHex(lane.incarnation));
  const std::vector<std::string_view> keys = {key};
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  const auto reply = co_await ClaimScript().Run(*writer_.connection, keys, arguments);
  if (!reply.ok()) co_return reply.status();
  if (reply->elements.size() != 2) co_return absl::DataLossError("claim: Redis answered something else");
  const std::string& outcome = reply->elements[0].text;
  if (outcome == "FENCED") {
    co_return ErrorWithReason(absl::StatusCode::kAborted,
                              fmt::format("lane {} is used by another process (incarnation {} in shard {}): this data "
                                          "directory was copied and started twice",
                                          words[0], reply->elements[1].text, shard.value),
                              "FENCED");
  }
  const auto cursor = outcome == "CLAIMED" ? Cursor::Parse(reply->elements[1].text) : std::nullopt;
  if (!cursor) {
    co_return absl::DataLossError(fmt::format("{} holds \"{}\" for lane {}", key, reply->elements[1].text, words[0]));
  }
  co_return *cursor;
}

asio::awaitable<absl::StatusOr<ApplyResult>> RedisStore::Apply(const Part& part) {
  if (!writer_.ready) co_return Away();
  const PartArguments arguments(part, options_.ranked);
  const auto reply = co_await ApplyScript().Run(*writer_.connection, arguments.keys(), arguments.words());
  if (!reply.ok()) co_return reply.status();
  co_return ApplyResultOf(part, *reply);
}

asio::awaitable<absl::Status> RedisStore::RemoveLanes(Shard shard, const std::vector<LaneId>& lanes) {
  if (!writer_.ready) co_return Away();
  if (lanes.empty()) co_return absl::OkStatus();
  LanesCommand command(shard, lanes);
  command.words[0] = "HDEL";
  auto reply = co_await writer_.connection->Execute(command.words);
  co_return Expect(std::move(reply), Reply::Kind::kInteger, "HDEL").status();
}

asio::awaitable<absl::StatusOr<ShardCounts>> RedisStore::ReadCounts(Shard shard, const std::vector<LaneId>& lanes,
                                                                    std::string_view site,
                                                                    const std::vector<Window>& windows,
                                                                    const std::vector<std::string_view>& ids) {
  if (!reader_.ready) co_return Away();
  const LanesCommand lanes_command(shard, lanes);
  std::vector<std::string> keys;
  keys.reserve(windows.size());
  std::vector<RedisCommand> commands = {lanes_command.words};
  for (const Window& window : windows) {
    RedisCommand command = {"HMGET", keys.emplace_back(keys::Counts(shard, site, window))};
    command.insert(command.end(), ids.begin(), ids.end());
    commands.push_back(std::move(command));
  }
  const auto replies = co_await reader_.connection->Transact(commands);
  if (!replies.ok()) co_return replies.status();
  ShardCounts result;
  result.lanes = LaneEntriesOf(replies->front());
  for (size_t i = 1; i < replies->size(); ++i) {
    auto& counts = result.counts.emplace_back();
    for (const Reply& element : (*replies)[i].elements) {
      const auto count = CountOf(element);
      if (!count.ok()) co_return count.status();
      counts.push_back(*count);
    }
  }
  co_return result;
}

asio::awaitable<absl::StatusOr<ShardRanking>> RedisStore::ReadRanking(Shard shard, const std::vector<LaneId>& lanes,
                                                                      std::string_view site, Window window) {
  if (!reader_.ready) co_return Away();
  const LanesCommand lanes_command(shard, lanes);
  const std::string key = keys::Ranking(shard, site, window);
  const uint32_t ranked = options_.ranked.Of(window.kind);
  const std::string last = std::to_string(ranked - 1);
  const RedisCommand range = {"ZRANGE", key, "0", last, "WITHSCORES"};
  const std::vector<RedisCommand> commands = {lanes_command.words, range};
  const auto replies = co_await reader_.connection->Transact(commands);
  if (!replies.ok()) co_return replies.status();
  ShardRanking result;
  result.lanes = LaneEntriesOf(replies->front());
  const std::vector<Reply>& entries = replies->back().elements;
  for (size_t i = 0; i + 1 < entries.size(); i += 2) {
    // Scores are the totals below zero, written as "-17".
    const std::string& score = entries[i + 1].text;
    const auto views =
        CountOf(Reply{.kind = Reply::Kind::kText, .text = score.starts_with('-') ? score.substr(1) : score});
    if (!views.ok()) co_return views.status();
    result.articles.push_back({entries[i].text, *views});
  }
  if (result.articles.size() >= ranked) result.unlisted_views_max = result.articles.back().views;
  co_return result;
}

asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> RedisStore::ReadSites() {
  if (!reader_.ready) co_return Away();
  const RedisCommand command = {"HGETALL", keys::kSites};
  auto reply = Expect(co_await reader_.connection->Execute(command), Reply::Kind::kArray, "HGETALL");
  if (!reply.ok()) co_return reply.status();
  std::vector<StoredSite> sites;
  for (size_t i = 0; i + 1 < reply->elements.size(); i += 2) {
    sites.push_back({reply->elements[i].text, reply->elements[i + 1].text});
  }
  co_return sites;
}

asio::awaitable<absl::Status> RedisStore::WriteSite(const StoredSite& site) {
  if (!writer_.ready) co_return Away();
  const RedisCommand command = {"HSET", keys::kSites, site.name, site.time_zone};
  auto reply = co_await writer_.connection->Execute(command);
  co_return Expect(std::move(reply), Reply::Kind::kInteger, "HSET").status();
}

}  // namespace viewcount
