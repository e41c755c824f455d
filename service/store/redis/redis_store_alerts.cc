// The store's alerts: settings and states.
#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "service/store/redis/keys.h"
#include "service/store/redis/redis_store.h"
#include "service/store/redis/snapshot.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

std::string AlertFieldOf(const AlertKey& key) { return fmt::format("{}/{}", key.first, key.second); }

// Passes each field of a hash and its value to `take`. Fields that name no alert are left out.
template <typename Take>
void ForEachAlert(Reply& hash, const Take& take) {
  for (size_t i = 0; i + 1 < hash.elements.size(); i += 2) {
    const std::string& field = hash.elements[i].text;
    const size_t slash = field.find('/');
    if (slash == std::string::npos) continue;
    take(AlertKey(field.substr(0, slash), field.substr(slash + 1)), std::move(hash.elements[i + 1].text));
  }
}

}  // namespace

asio::awaitable<absl::StatusOr<std::map<AlertKey, StoredAlert>>> RedisStore::ReadAlerts() {
  if (!reader_.ready) co_return Away();
  const RedisCommand settings_command = {"HGETALL", keys::kAlerts};
  const RedisCommand states_command = {"HGETALL", keys::kAlertStates};
  const std::vector<RedisCommand> commands = {settings_command, states_command};
  auto replies = co_await ReadTogether(*reader_.connection, commands);
  if (!replies.ok()) co_return replies.status();
  for (const Reply& reply : *replies) {
    const auto read = Expect(reply, Reply::Kind::kArray, "HGETALL");
    if (!read.ok()) co_return read.status();
  }
  std::map<AlertKey, StoredAlert> alerts;
  ForEachAlert((*replies)[0],
               [&](AlertKey key, std::string text) { alerts[std::move(key)].settings = std::move(text); });
  ForEachAlert((*replies)[1], [&](AlertKey key, std::string text) { alerts[std::move(key)].state = std::move(text); });
  co_return alerts;
}

asio::awaitable<absl::StatusOr<bool>> RedisStore::SwapAlert(const AlertKey& key, std::string_view expected,
                                                            std::string_view next) {
  co_return co_await SwapAlertField(keys::kAlerts, key, expected, next);
}

asio::awaitable<absl::StatusOr<bool>> RedisStore::RemoveAlert(const AlertKey& key) {
  if (!writer_.ready) co_return Away();
  const std::string field = AlertFieldOf(key);
  bool removed = false;
  for (const std::string_view hash : {keys::kAlerts, keys::kAlertStates}) {
    const RedisCommand command = {"HDEL", hash, field};
    auto answered = co_await writer_.connection->Execute(command);
    const auto reply = Expect(std::move(answered), Reply::Kind::kInteger, "HDEL");
    if (!reply.ok()) co_return reply.status();
    removed = removed || (hash == keys::kAlerts && reply->integer > 0);
  }
  co_return removed;
}

asio::awaitable<absl::Status> RedisStore::RemoveAlertState(const AlertKey& key) {
  if (!writer_.ready) co_return Away();
  const std::string field = AlertFieldOf(key);
  const RedisCommand command = {"HDEL", keys::kAlertStates, field};
  auto reply = co_await writer_.connection->Execute(command);
  co_return Expect(std::move(reply), Reply::Kind::kInteger, "HDEL").status();
}

asio::awaitable<absl::StatusOr<bool>> RedisStore::SwapAlertState(const AlertKey& key, std::string_view expected,
                                                                 std::string_view next) {
  co_return co_await SwapAlertField(keys::kAlertStates, key, expected, next);
}

asio::awaitable<absl::StatusOr<bool>> RedisStore::SwapAlertField(std::string_view hash, const AlertKey& key,
                                                                 std::string_view expected, std::string_view next) {
  if (!writer_.ready) co_return Away();
  const std::string field = AlertFieldOf(key);
  const std::vector<std::string_view> keys = {hash};
  const std::vector<std::string_view> arguments = {field, expected, next};
  const auto reply = co_await scripts_.swap.Run(*writer_.connection, keys, arguments);
  if (!reply.ok()) co_return reply.status();
  co_return !reply->elements.empty() && reply->elements[0].text == "SWAPPED";
}

}  // namespace viewcount
