// The store's data about sites: settings, aliases, announced articles, salts.
#include <fmt/format.h>

#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "service/store/redis/key_scan.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/redis_store.h"
#include "service/store/redis/snapshot.h"
#include "service/store/redis/stored_salts.h"
#include "service/store/redis/stored_sites.h"

namespace viewcount {
namespace asio = boost::asio;

asio::awaitable<absl::StatusOr<std::vector<StoredSite>>> RedisStore::ReadSites() {
  if (!reader_.ready) co_return Away();
  const RedisCommand sites_command = {"HGETALL", keys::kSites};
  const RedisCommand aliases_command = {"HGETALL", keys::kAliases};
  const std::vector<RedisCommand> commands = {sites_command, aliases_command};
  const auto replies = co_await ReadTogether(*reader_.connection, commands);
  if (!replies.ok()) co_return replies.status();
  for (const Reply& reply : *replies) {
    const auto read = Expect(reply, Reply::Kind::kArray, "HGETALL");
    if (!read.ok()) co_return read.status();
  }
  co_return StoredSitesOf((*replies)[0], (*replies)[1]);
}

asio::awaitable<absl::Status> RedisStore::WriteSite(const StoredSite& site) {
  if (!writer_.ready) co_return Away();
  const std::vector<std::string> words = SiteWords(site);
  const RedisCommand command = {"HSET", keys::kSites, words[0], words[1]};
  auto reply = co_await writer_.connection->Execute(command);
  co_return Expect(std::move(reply), Reply::Kind::kInteger, "HSET").status();
}

asio::awaitable<absl::StatusOr<bool>> RedisStore::SwapSite(const StoredSite& site, const SiteSettings& expected) {
  if (!writer_.ready) co_return Away();
  const std::vector<std::string> words = SiteWords(site), old_words = SiteWords({site.name, expected});
  const std::vector<std::string_view> keys = {keys::kSites};
  const std::vector<std::string_view> arguments = {words[0], old_words[1], words[1]};
  const auto reply = co_await scripts_.swap.Run(*writer_.connection, keys, arguments);
  if (!reply.ok()) co_return reply.status();
  co_return !reply->elements.empty() && reply->elements[0].text == "SWAPPED";
}

asio::awaitable<absl::Status> RedisStore::WriteAliases(std::string_view site, const AliasEntries& aliases) {
  if (!writer_.ready) co_return Away();
  const std::vector<std::string> words = AliasWords(site, aliases);
  RedisCommand command = {"HSET", keys::kAliases};
  command.insert(command.end(), words.begin(), words.end());
  auto reply = co_await writer_.connection->Execute(command);
  co_return Expect(std::move(reply), Reply::Kind::kInteger, "HSET").status();
}

asio::awaitable<absl::Status> RedisStore::WriteArticles(Shard shard, std::string_view site,
                                                        const std::map<std::string, std::string>& articles) {
  if (!writer_.ready) co_return Away();
  const std::string key = keys::Articles(shard, site);
  RedisCommand command = {"HSET", key};
  for (const auto& [id, text] : articles) command.insert(command.end(), {id, text});
  auto reply = co_await writer_.connection->Execute(command);
  co_return Expect(std::move(reply), Reply::Kind::kInteger, "HSET").status();
}

asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> RedisStore::ReadArticles(
    Shard shard, std::string_view site, const std::vector<std::string_view>& ids) {
  const std::string key = keys::Articles(shard, site);
  co_return co_await ReadFields(key, ids);
}

asio::awaitable<absl::Status> RedisStore::WritePageArticle(Shard shard, std::string_view site, std::string_view id,
                                                           std::string_view text) {
  if (!writer_.ready) co_return Away();
  const std::string key = keys::PageArticles(shard, site);
  const RedisCommand command = {"HSET", key, id, text};
  auto reply = co_await writer_.connection->Execute(command);
  co_return Expect(std::move(reply), Reply::Kind::kInteger, "HSET").status();
}

asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> RedisStore::ReadPageArticles(
    Shard shard, std::string_view site, const std::vector<std::string_view>& ids) {
  const std::string key = keys::PageArticles(shard, site);
  co_return co_await ReadFields(key, ids);
}

asio::awaitable<absl::StatusOr<std::map<std::string, std::string>>> RedisStore::ReadAnnotations(Shard shard,
                                                                                                std::string_view site) {
  if (!reader_.ready) co_return Away();
  const std::string key = keys::Annotations(shard, site);
  const RedisCommand command = {"HGETALL", key};
  auto reply = Expect(co_await reader_.connection->Execute(command), Reply::Kind::kArray, "HGETALL");
  if (!reply.ok()) co_return reply.status();
  std::map<std::string, std::string> texts;
  for (size_t i = 0; i + 1 < reply->elements.size(); i += 2) {
    texts[std::move(reply->elements[i].text)] = std::move(reply->elements[i + 1].text);
  }
  co_return texts;
}

asio::awaitable<absl::Status> RedisStore::WriteAnnotation(Shard shard, std::string_view site, std::string_view id,
                                                          std::string_view text) {
  if (!writer_.ready) co_return Away();
  const std::string key = keys::Annotations(shard, site);
  const RedisCommand command = {"HSET", key, id, text};
  auto reply = co_await writer_.connection->Execute(command);
  co_return Expect(std::move(reply), Reply::Kind::kInteger, "HSET").status();
}

asio::awaitable<absl::StatusOr<bool>> RedisStore::RemoveAnnotation(Shard shard, std::string_view site,
                                                                   std::string_view id) {
  if (!writer_.ready) co_return Away();
  const std::string key = keys::Annotations(shard, site);
  const RedisCommand command = {"HDEL", key, id};
  auto reply = co_await writer_.connection->Execute(command);
  const auto removed = Expect(std::move(reply), Reply::Kind::kInteger, "HDEL");
  if (!removed.ok()) co_return removed.status();
  co_return removed->integer > 0;
}

asio::awaitable<absl::StatusOr<std::vector<std::optional<std::string>>>> RedisStore::ReadFields(
    const std::string& key, const std::vector<std::string_view>& names) {
  if (!reader_.ready) co_return Away();
  RedisCommand command = {"HMGET", key};
  command.insert(command.end(), names.begin(), names.end());
  auto reply = Expect(co_await reader_.connection->Execute(command), Reply::Kind::kArray, "HMGET");
  if (!reply.ok()) co_return reply.status();
  std::vector<std::optional<std::string>> texts;
  for (Reply& element : reply->elements) {
    const bool written = element.kind == Reply::Kind::kText;
    texts.push_back(written ? std::optional(std::move(element.text)) : std::nullopt);
  }
  co_return texts;
}

asio::awaitable<absl::StatusOr<TextScan>> RedisStore::ScanArticleTexts(Shard shard, std::string_view site,
                                                                       std::string_view cursor) {
  if (!reader_.ready) co_return Away();
  const std::string key = keys::Articles(shard, site);
  const RedisCommand command = {"HSCAN", key, cursor.empty() ? "0" : cursor, "COUNT", "1000"};
  auto reply = Expect(co_await reader_.connection->Execute(command), Reply::Kind::kArray, "HSCAN");
  if (!reply.ok()) co_return reply.status();
  if (reply->elements.size() != 2) co_return absl::DataLossError("Redis answered HSCAN with something else");
  TextScan scan;
  std::vector<Reply>& words = reply->elements[1].elements;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    scan.texts.push_back({std::move(words[i].text), std::move(words[i + 1].text)});
  }
  if (reply->elements[0].text != "0") scan.cursor = std::move(reply->elements[0].text);
  co_return scan;
}

asio::awaitable<absl::Status> RedisStore::WritePublications(
    Shard shard, std::string_view site, const std::map<std::string, std::optional<int64_t>>& articles) {
  if (!writer_.ready) co_return Away();
  const std::string key = keys::Publications(shard, site);
  std::deque<std::string> scores;
  RedisCommand added = {"ZADD", key}, removed = {"ZREM", key};
  for (const auto& [id, unix_ms] : articles) {
    if (unix_ms) {
      added.insert(added.end(), {scores.emplace_back(std::to_string(*unix_ms)), id});
    } else {
      removed.push_back(id);
    }
  }
  for (const RedisCommand& command : {added, removed}) {
    if (command.size() == 2) continue;
    auto reply = co_await writer_.connection->Execute(command);
    auto status = Expect(std::move(reply), Reply::Kind::kInteger, command.front()).status();
    if (!status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

asio::awaitable<absl::StatusOr<std::vector<Publication>>> RedisStore::ReadPublications(Shard shard,
                                                                                       std::string_view site,
                                                                                       const PublicationRange& range) {
  if (!reader_.ready) co_return Away();
  const std::string key = keys::Publications(shard, site);
  const std::string from = std::to_string(range.unix_ms);
  const std::string skipped = std::to_string(range.skipped), count = std::to_string(range.articles_max);
  RedisCommand command = {"ZRANGE", key, from, range.ascending ? "+inf" : "-inf", "BYSCORE"};
  if (!range.ascending) command.push_back("REV");
  command.insert(command.end(), {"LIMIT", skipped, count, "WITHSCORES"});
  auto reply = Expect(co_await reader_.connection->Execute(command), Reply::Kind::kArray, "ZRANGE");
  if (!reply.ok()) co_return reply.status();
  std::vector<Publication> publications;
  for (size_t i = 0; i + 1 < reply->elements.size(); i += 2) {
    const auto unix_ms = CountOf(reply->elements[i + 1]);
    if (!unix_ms.ok()) co_return unix_ms.status();
    publications.push_back({.unix_ms = *unix_ms, .article_id = std::move(reply->elements[i].text)});
  }
  co_return publications;
}

asio::awaitable<absl::StatusOr<ViewerSalt>> RedisStore::ObtainSalt(std::string_view site, uint32_t day,
                                                                   const ViewerSalt& fresh) {
  if (!writer_.ready) co_return Away();
  co_return co_await ObtainStoredSalt(*writer_.connection, site, day, fresh);
}

asio::awaitable<absl::Status> RedisStore::RemoveSalts(const SiteDays& first_days) {
  if (!writer_.ready || !reader_.ready) co_return Away();
  const auto fields = co_await ListStoredSalts(*reader_.connection, first_days);
  if (!fields.ok()) co_return fields.status();
  co_return co_await RemoveStoredSalts(*writer_.connection, *fields);
}

asio::awaitable<absl::StatusOr<std::set<StoredDay>>> RedisStore::ListDaysBefore(const SiteDays& first_days) {
  if (!reader_.ready) co_return Away();
  const auto hashes = co_await ScanHashes(*reader_.connection, std::nullopt);
  if (!hashes.ok()) co_return hashes.status();
  std::set<StoredDay> days;
  for (const auto& names : *hashes) {
    for (const std::string& text : names) {
      const auto name = HashName::Parse(text);
      const auto window = keys::WindowOfName(name->window);
      if (!window || (window->kind != Window::Kind::kDay && window->kind != Window::Kind::kVisitDay)) continue;
      const auto first = first_days.find(name->site);
      if (first == first_days.end() || window->number >= first->second) continue;
      days.insert({std::string(name->site), window->number});
    }
  }
  co_return days;
}

asio::awaitable<absl::Status> RedisStore::RemoveDay(std::string_view site, uint32_t day) {
  absl::Status first_error;
  for (uint8_t shard = 0; shard < limits::kShards; ++shard) {
    const absl::Status removed = co_await RemoveDayFrom(Shard{shard}, site, day);
    // Something unusable in one shard does not concern the others.
    if (!removed.ok() && !absl::IsDataLoss(removed)) co_return removed;
    first_error.Update(removed);
  }
  co_return first_error;
}

asio::awaitable<absl::Status> RedisStore::RemoveDayFrom(Shard shard, std::string_view site, uint32_t day) {
  if (!writer_.ready) co_return Away();
  const Window views{Window::Kind::kDay, day}, visits{Window::Kind::kVisitDay, day};
  const ViewerSetName viewers{.kind = ViewerSetName::Kind::kDay, .number = day};
  const std::vector<std::string> names = {keys::Lanes(shard),
                                          keys::Totals(shard),
                                          keys::Counts(shard, site, views),
                                          keys::Ranking(shard, site, views),
                                          keys::Counts(shard, site, visits),
                                          keys::Viewers(shard, site, viewers)};
  const std::vector<std::string> words = {fmt::format("apart:{}", site), fmt::format("gone:{}:d:{:08}", site, day),
                                          fmt::format("start:{}:d:{:08}", site, day),
                                          fmt::format("start:{}:visits:d:{:08}", site, day)};
  const std::vector<std::string_view> keys(names.begin(), names.end());
  const std::vector<std::string_view> arguments(words.begin(), words.end());
  const auto reply = co_await RunOnShard(shard, scripts_.forget, keys, arguments);
  if (!reply.ok()) co_return reply.status();
  if (reply->elements.size() == 1 && reply->elements[0].text == "REMOVED") co_return absl::OkStatus();
  co_return absl::DataLossError(fmt::format("{} holds something that is no number", reply->elements.back().text));
}

}  // namespace viewcount
