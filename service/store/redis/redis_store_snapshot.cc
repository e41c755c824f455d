// Snapshots and imports of counts in Redis: start values, and the claims of imports.
#include <string>
#include <utility>

#include "service/store/redis/keys.h"
#include "service/store/redis/redis_store.h"
#include "service/store/redis/torn_shard.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// The answer of one HSCAN: fields and values, alternating, and where the next step begins.
struct HashStep {
  std::vector<Reply> words;
  std::string cursor;
};

absl::StatusOr<HashStep> HashStepOf(absl::StatusOr<Reply> reply) {
  auto read = Expect(std::move(reply), Reply::Kind::kArray, "HSCAN");
  if (!read.ok()) return read.status();
  if (read->elements.size() != 2) return absl::DataLossError("Redis answered HSCAN with something else");
  HashStep step{.words = std::move(read->elements[1].elements), .cursor = std::move(read->elements[0].text)};
  if (step.cursor == "0") step.cursor.clear();
  return step;
}

}  // namespace

asio::awaitable<absl::StatusOr<std::map<Window, int64_t>>> RedisStore::ReadStartValues(Shard shard,
                                                                                       std::string_view site) {
  if (!reader_.ready) co_return Away();
  // A torn shard would hold the start values of a half part.
  if (auto status = co_await Restore(shard); !status.ok()) co_return status;
  const std::string key = keys::Totals(shard);
  const std::string prefix = "start:" + std::string(site) + ":";
  const std::string pattern = prefix + "*";
  std::map<Window, int64_t> values;
  std::string cursor = "0";
  while (!cursor.empty()) {
    const RedisCommand command = {"HSCAN", key, cursor, "MATCH", pattern, "COUNT", "1000"};
    auto step = HashStepOf(co_await reader_.connection->Execute(command));
    if (!step.ok()) co_return step.status();
    for (size_t i = 0; i + 1 < step->words.size(); i += 2) {
      const auto window = keys::WindowOfName(std::string_view(step->words[i].text).substr(prefix.size()));
      if (!window || window->kind == Window::Kind::kVisits || window->kind == Window::Kind::kVisitDay) continue;
      const auto views = CountOf(step->words[i + 1]);
      if (!views.ok()) co_return views.status();
      if (*views != 0) values[*window] = *views;
    }
    cursor = std::move(step->cursor);
  }
  co_return values;
}

asio::awaitable<absl::StatusOr<std::string>> RedisStore::ClaimImport(Shard shard, std::string_view site,
                                                                     std::string_view import_id,
                                                                     std::string_view expected,
                                                                     std::string_view claim) {
  if (!writer_.ready) co_return Away();
  const std::string key = keys::Imports(shard, site);
  const std::vector<std::string_view> keys = {key};
  const std::vector<std::string_view> arguments = {import_id, expected, claim};
  const auto reply = co_await scripts_.swap.Run(*writer_.connection, keys, arguments);
  if (!reply.ok()) co_return reply.status();
  const std::vector<Reply>& words = reply->elements;
  if (words.size() == 1 && words[0].text == "SWAPPED") co_return std::string(claim);
  if (words.size() == 2 && words[0].text == "OTHER") co_return words[1].text;
  co_return absl::DataLossError("Redis answered a claim of an import with something else");
}

}  // namespace viewcount
