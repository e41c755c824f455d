#include "service/store/redis/store_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/lane_entry.h"
#include "service/store/redis/snapshot.h"
#include "service/store/redis/sum_audit.h"
#include "service/store/redis/torn_shard.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// The hash of an hour that expires sooner may expire between two reads.
constexpr std::chrono::milliseconds kExpiresSoon = std::chrono::minutes(1);

bool SameTexts(const std::vector<Reply>& a, const std::vector<Reply>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Reply& x, const Reply& y) { return x.text == y.text; });
}

// `lanes` alternates fields and values.
bool HoldsUndoLog(const std::vector<Reply>& lanes) {
  for (size_t i = 0; i + 1 < lanes.size(); i += 2) {
    if (lanes[i].text == kUndoField) return !lanes[i + 1].text.empty();
  }
  return false;
}

// `ranking` alternates members and scores. The empty member is not an article. It keeps the ranking from vanishing.
std::vector<Reply> WithoutEmptyMember(std::vector<Reply> ranking) {
  for (size_t i = 0; i + 1 < ranking.size(); i += 2) {
    if (!ranking[i].text.empty()) continue;
    const auto member = ranking.begin() + static_cast<ptrdiff_t>(i);
    ranking.erase(member, member + 2);
    break;
  }
  return ranking;
}

}  // namespace

struct StoreAudit::Moment {
  Reply sum;
  Reply start;
  std::vector<Reply> lanes;
  std::vector<Reply> ranking;
};

size_t StoreAudit::RankedOf(HashName name) const {
  if (!name.is_ranked()) return 0;
  return name.is_hour() ? ranked_.hour : ranked_.all_time_and_day;
}

asio::awaitable<absl::StatusOr<AuditReport>> StoreAudit::Run() {
  const RedisCommand read_sites = {"HKEYS", keys::kSites};
  const auto sites = Expect(co_await connection_.Execute(read_sites), Reply::Kind::kArray, "HKEYS");
  if (!sites.ok()) co_return sites.status();
  for (const Reply& site : sites->elements) sites_.push_back(site.text);
  auto hashes = co_await ScanHashes(connection_, std::nullopt);
  if (!hashes.ok()) co_return hashes.status();
  for (uint32_t i = 0; i < limits::kShards; ++i) {
    auto status = co_await CheckShard(Shard{static_cast<uint8_t>(i)}, std::move((*hashes)[i]));
    if (!status.ok()) co_return status;
  }
  co_return std::move(report_);
}

asio::awaitable<absl::Status> StoreAudit::CheckShard(Shard shard, std::set<std::string> names) {
  // If one of these two keys is unusable, nothing can be said about the shard.
  for (const std::string& key : {keys::Lanes(shard), keys::Totals(shard)}) {
    const RedisCommand command = {"TYPE", key};
    const auto type = Expect(co_await connection_.Execute(command), Reply::Kind::kText, "TYPE");
    if (!type.ok()) co_return type.status();
    if (type->text == "hash" || type->text == "none") continue;
    report_.Add(fmt::format("{} is a {}, expected a hash", key, type->text));
    co_return absl::OkStatus();
  }
  for (const std::string& name : names) {
    auto status = co_await CheckHash(shard, *HashName::Parse(name));
    if (!status.ok()) co_return status;
  }
  co_return co_await CheckSums(shard, std::move(names));
}

asio::awaitable<absl::Status> StoreAudit::CheckHash(Shard shard, HashName name) {
  for (int attempt = 0; attempt < limits::kAuditAttemptsMax; ++attempt) {
    const auto usable = co_await CheckTypes(shard, name);
    if (!usable.ok()) co_return usable.status();
    if (!*usable) co_return absl::OkStatus();
    const auto before = co_await ReadLanes(shard);
    if (!before.ok()) co_return before.status();
    const auto tally = co_await Tally(shard, name);
    if (!tally.ok()) co_return tally.status();
    const auto moment = co_await ReadMoment(shard, name);
    if (!moment.ok()) co_return moment.status();
    if (!SameTexts(*before, moment->lanes)) continue;
    // The day was removed meanwhile, because its site does not keep it any more.
    const bool is_gone = moment->sum.kind != Reply::Kind::kText && moment->ranking.empty();
    if (name.is_day() && is_gone && tally->articles() > 0) continue;
    Judge(shard, name, *tally, *moment);
    co_return absl::OkStatus();
  }
  report_.busy.push_back(name.Key(shard));
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<bool>> StoreAudit::CheckTypes(Shard shard, HashName name) {
  const std::string key = name.Key(shard);
  const std::string ranking = name.RankingKey(shard);
  const RedisCommand type_of_hash = {"TYPE", key};
  const RedisCommand type_of_ranking = {"TYPE", ranking};
  const RedisCommand time_left = {"PTTL", key};
  const std::vector<RedisCommand> commands = {type_of_hash, type_of_ranking, time_left};
  const auto replies = co_await ReadTogether(connection_, commands);
  if (!replies.ok()) co_return replies.status();
  const std::string& hash_type = (*replies)[0].text;
  const std::string& ranking_type = (*replies)[1].text;
  const int64_t left = (*replies)[2].integer;
  if (name.is_hour() && left >= 0 && left < kExpiresSoon.count()) co_return false;
  bool usable = true;
  if (hash_type != "hash" && hash_type != "none") {
    report_.Add(fmt::format("{} is a {}, expected a hash", key, hash_type));
    unusable_.insert(key);
    usable = false;
  }
  if (!ranking.empty() && ranking_type != "zset" && ranking_type != "none") {
    report_.Add(fmt::format("{} is a {}, expected a sorted set", ranking, ranking_type));
    usable = false;
  }
  co_return usable;
}

asio::awaitable<absl::StatusOr<HashTally>> StoreAudit::Tally(Shard shard, HashName name) {
  const std::string key = name.Key(shard);
  const std::string step = std::to_string(limits::kAuditStep);
  HashTally tally(RankedOf(name));
  std::string cursor = "0";
  do {
    const RedisCommand command = {"HSCAN", key, cursor, "COUNT", step};
    const auto reply = Expect(co_await connection_.Execute(command), Reply::Kind::kArray, "HSCAN");
    if (!reply.ok()) co_return reply.status();
    if (reply->elements.size() != 2) co_return absl::DataLossError("Redis answered HSCAN with something else");
    const std::vector<Reply>& words = reply->elements[1].elements;
    for (size_t i = 0; i + 1 < words.size(); i += 2) tally.Add(words[i].text, words[i + 1]);
    cursor = reply->elements[0].text;
  } while (cursor != "0");
  co_return tally;
}

asio::awaitable<absl::StatusOr<std::vector<Reply>>> StoreAudit::ReadLanes(Shard shard) {
  const std::string key = keys::Lanes(shard);
  const RedisCommand command = {"HGETALL", key};
  for (int attempt = 0; attempt < limits::kRestoreAttemptsMax; ++attempt) {
    auto reply = Expect(co_await connection_.Execute(command), Reply::Kind::kArray, "HGETALL");
    if (!reply.ok()) co_return reply.status();
    if (!HoldsUndoLog(reply->elements)) co_return std::move(reply->elements);
    if (auto status = co_await restore_(shard); !status.ok()) co_return status;
  }
  co_return absl::AbortedError(fmt::format("{} was torn again whenever it was whole", key));
}

asio::awaitable<absl::StatusOr<StoreAudit::Moment>> StoreAudit::ReadMoment(Shard shard, HashName name) {
  const std::string key = name.Key(shard);
  const std::string totals_key = keys::Totals(shard);
  const std::string lanes_key = keys::Lanes(shard);
  const std::string ranking_key = name.RankingKey(shard);
  const std::string start_field = fmt::format("start:{}:{}", name.site, name.window);
  // Requests one more article than the ranking may hold.
  const std::string last = std::to_string(RankedOf(name));
  const RedisCommand sum = {"HGET", key, ""};
  const RedisCommand start = {"HGET", totals_key, start_field};
  const RedisCommand lanes = {"HGETALL", lanes_key};
  const RedisCommand ranking = {"ZRANGE", ranking_key, "0", last, "WITHSCORES"};
  std::vector<RedisCommand> commands = {sum, start, lanes};
  if (!ranking_key.empty()) commands.push_back(ranking);
  auto replies = co_await ReadTogether(connection_, commands);
  if (!replies.ok()) co_return replies.status();
  Moment moment{.sum = std::move((*replies)[0]),
                .start = std::move((*replies)[1]),
                .lanes = std::move((*replies)[2].elements),
                .ranking = {}};
  if (!ranking_key.empty()) moment.ranking = WithoutEmptyMember(std::move((*replies)[3].elements));
  co_return moment;
}

void StoreAudit::Judge(Shard shard, HashName name, const HashTally& tally, const Moment& moment) {
  const std::string key = name.Key(shard);
  ++report_.hashes;
  report_.articles += tally.articles();
  for (const auto& [article_id, value] : tally.broken()) {
    report_.Add(fmt::format("{} holds \"{}\" for \"{}\", expected a count", key, value.substr(0, 40), article_id));
  }
  // A start value that is not a number is reported by CheckSums.
  const int64_t start = NumberOf(moment.start).value_or(0);
  const int64_t expected = tally.sum() + start;
  const auto sum = CountOf(moment.sum);
  if (!sum.ok()) {
    report_.Add(fmt::format("{} holds \"{}\" as its sum (the empty field), expected {}", key,
                            moment.sum.text.substr(0, 40), expected));
  } else if (*sum != expected) {
    report_.Add(
        fmt::format("{} holds {} as its sum (the empty field), expected {}: its articles' {} and the site's own "
                    "adjustments, {}",
                    key, *sum, expected, tally.sum(), start));
    // The site's own adjustments account for the part of the sum that no article has.
    report_.repairs.totals.push_back({shard, fmt::format("start:{}:{}", name.site, name.window), *sum - expected});
  }
  if (const std::string ranking = name.RankingKey(shard); !ranking.empty()) {
    if (!JudgeRanking(ranking, tally, moment.ranking)) {
      report_.repairs.rankings.push_back({shard, key, ranking, RankedOf(name)});
    }
  }
}

// Reports the first place that is wrong. Returns true if there is none.
bool StoreAudit::JudgeRanking(const std::string& key, const HashTally& tally, const std::vector<Reply>& ranking) {
  const std::vector<RankedCount> expected = tally.Highest();
  const size_t found = ranking.size() / 2;
  for (size_t place = 0; place < std::max(expected.size(), found); ++place) {
    std::string should = "nothing";
    std::string is = "nothing";
    if (place < expected.size()) {
      should = fmt::format("\"{}\" with {}", expected[place].article_id, expected[place].views);
    }
    if (place < found) {
      const std::string& score = ranking[2 * place + 1].text;
      is = fmt::format("\"{}\" with {}", ranking[2 * place].text,
                       score.starts_with('-') ? score.substr(1) : "-" + score);
    }
    if (should == is) continue;
    report_.Add(fmt::format("{} holds {} in place {}, expected {}", key, is, place + 1, should));
    return false;
  }
  return true;
}

asio::awaitable<absl::Status> StoreAudit::CheckSums(Shard shard, std::set<std::string> names) {
  if (const auto whole = co_await ReadLanes(shard); !whole.ok()) co_return whole.status();
  SumAudit sums(connection_, shard, sites_, unusable_);
  auto found = co_await sums.Run(names);
  if (!found.ok()) co_return found.status();
  if (!found->differences.empty()) {
    // The difference may be due to a hash that did not exist when the keys were listed, so they are listed again.
    auto hashes = co_await ScanHashes(connection_, shard);
    if (!hashes.ok()) co_return hashes.status();
    found = co_await sums.Run((*hashes)[shard.value]);
    if (!found.ok()) co_return found.status();
  }
  if (found->busy) report_.busy.push_back(keys::Totals(shard));
  for (std::string& difference : found->differences) report_.Add(std::move(difference));
  std::move(found->repairs.begin(), found->repairs.end(), std::back_inserter(report_.repairs.totals));
  for (const auto& [lane, totals] : found->lanes) AddTotals(totals, report_.lanes[lane]);
  AddTotals(found->retired, report_.retired);
  co_return absl::OkStatus();
}

}  // namespace viewcount
