#include "service/store/redis/torn_shard.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>
#include <vector>

#include "service/base/limits.h"
#include "service/store/redis/keys.h"

namespace viewcount {
namespace asio = boost::asio;

bool IsTorn(const Reply& reply) { return !reply.elements.empty() && reply.elements[0].text == "TORN"; }

asio::awaitable<absl::StatusOr<bool>> RestoreShard(RedisConnection& connection, const Script& restore, Shard shard) {
  const std::string lanes_key = keys::Lanes(shard);
  // A script must name its keys before it runs, but only the log knows them. So the first run asks for them.
  std::vector<std::string> keys = {lanes_key, keys::Totals(shard)};
  for (int attempt = 0; attempt < limits::kRestoreAttemptsMax; ++attempt) {
    const std::vector<std::string_view> words(keys.begin(), keys.end());
    const std::vector<std::string_view> no_arguments;
    const auto reply = co_await restore.Run(connection, words, no_arguments);
    if (!reply.ok()) co_return reply.status();
    const std::vector<Reply>& elements = reply->elements;
    const std::string_view answer = elements.empty() ? std::string_view() : elements[0].text;
    if (answer == "WHOLE") co_return false;
    if (answer == "RESTORED" && elements.size() == 2) {
      spdlog::warn(
          "shard {:02}: a script of Redis had failed in the middle of a part of lane {}; the half part was undone "
          "exactly, and is sent again",
          shard.value, elements[1].text);
      co_return true;
    }
    if (answer != "KEYS") {
      co_return absl::DataLossError(
          fmt::format("{} holds an undo log that this viewcountd cannot read; use a newer one", lanes_key));
    }
    keys.resize(2);
    for (size_t i = 1; i < elements.size(); ++i) keys.push_back(elements[i].text);
  }
  co_return absl::AbortedError(fmt::format("{} changed whenever its half part was to be undone", lanes_key));
}

}  // namespace viewcount
