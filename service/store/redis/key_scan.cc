#include "service/store/redis/key_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace viewcount {
namespace asio = boost::asio;

namespace {

constexpr std::string_view kTop = "top:";
constexpr std::string_view kVisitDayKind = "visits:d:";

bool AreDigits(std::string_view text, size_t count) {
  return text.size() == count && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string PrefixOf(Shard shard) { return fmt::format("vc:{{{:02}}}:", shard.value); }

// Returns the shard that a key names, and the rest of the key; nothing for a key of no shard.
std::optional<std::pair<Shard, std::string_view>> SplitKey(std::string_view key) {
  uint8_t number = 0;
  if (key.size() < 8 || !key.starts_with("vc:{") || key.substr(6, 2) != "}:") return std::nullopt;
  const auto [stop, error] = std::from_chars(key.data() + 4, key.data() + 6, number);
  if (error != std::errc() || stop != key.data() + 6 || number >= limits::kShards) return std::nullopt;
  return std::pair(Shard{number}, key.substr(8));
}

void Take(std::string_view key, ShardHashes& hashes) {
  const auto split = SplitKey(key);
  if (!split) return;
  std::string name(split->second);
  // A ranking's name is replaced by its hash's name.
  const size_t colon = name.find(':');
  if (colon != std::string::npos && std::string_view(name).substr(colon + 1).starts_with(kTop)) {
    name.erase(colon + 1, kTop.size());
  }
  if (HashName::Parse(name)) hashes[split->first.value].insert(std::move(name));
}

}  // namespace

std::optional<HashName> HashName::Parse(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const HashName name{text.substr(0, colon), text.substr(colon + 1)};
  const bool known = name.window == "all" || name.window == "bots" || name.window == "visits" ||
                     (name.is_day() && AreDigits(name.window.substr(2), 8)) ||
                     (name.is_hour() && AreDigits(name.window.substr(2), 10)) ||
                     (name.window.starts_with(kVisitDayKind) && AreDigits(name.window.substr(kVisitDayKind.size()), 8));
  if (!known) return std::nullopt;
  return name;
}

std::string HashName::Key(Shard shard) const { return fmt::format("{}{}:{}", PrefixOf(shard), site, window); }

std::string HashName::RankingKey(Shard shard) const {
  if (!is_ranked()) return "";
  return fmt::format("{}{}:{}{}", PrefixOf(shard), site, kTop, window);
}

asio::awaitable<absl::StatusOr<ShardHashes>> ScanHashes(RedisConnection& connection, std::optional<Shard> only) {
  const std::string pattern = only ? PrefixOf(*only) + "*" : "vc:{*";
  const std::string step = std::to_string(limits::kAuditStep);
  ShardHashes hashes;
  std::string cursor = "0";
  do {
    const RedisCommand command = {"SCAN", cursor, "MATCH", pattern, "COUNT", step};
    const auto reply = Expect(co_await connection.Execute(command), Reply::Kind::kArray, "SCAN");
    if (!reply.ok()) co_return reply.status();
    if (reply->elements.size() != 2) co_return absl::DataLossError("Redis answered SCAN with something else");
    for (const Reply& key : reply->elements[1].elements) Take(key.text, hashes);
    cursor = reply->elements[0].text;
  } while (cursor != "0");
  co_return hashes;
}

}  // namespace viewcount
