#include "service/store/redis/snapshot.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/store/redis/read_lua.h"
#include "service/store/redis/redis_limits.h"
#include "service/store/redis/script.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// The keys and arguments of the script read.lua.
class Reads {
 public:
  // Adds a command. Divides an HMGET that is too long for Lua, and leaves any other command as it is.
  void Add(const RedisCommand& command) {
    size_t& pieces = pieces_.emplace_back(0);
    if (command[0] != "HMGET") {
      Add(command, std::span(command).subspan(1));
      ++pieces;
      return;
    }
    auto fields = std::span(command).subspan(2);
    do {
      const auto some = fields.first(std::min(fields.size(), limits::kScriptCommandWordsMax));
      keys_.push_back(command[1]);
      AddHead(command[0], 1, some.size());
      arguments_.insert(arguments_.end(), some.begin(), some.end());
      fields = fields.subspan(some.size());
      ++pieces;
    } while (!fields.empty());
  }

  const std::vector<std::string_view>& keys() const { return keys_; }
  const std::vector<std::string_view>& arguments() const { return arguments_; }

  // Joins the answers to divided commands. Returns nothing if there are too few or too many.
  std::vector<Reply> Join(std::vector<Reply> answers) const {
    std::vector<Reply> joined;
    auto next = answers.begin();
    for (const size_t pieces : pieces_) {
      if (static_cast<size_t>(answers.end() - next) < pieces) return {};
      Reply& reply = joined.emplace_back(std::move(*next++));
      for (size_t i = 1; i < pieces; ++i, ++next) {
        std::ranges::move(next->elements, std::back_inserter(reply.elements));
      }
    }
    return next == answers.end() ? joined : std::vector<Reply>();
  }

 private:
  void Add(const RedisCommand& command, std::span<const std::string_view> words) {
    VIEWCOUNT_CHECK(!words.empty() && words.size() < limits::kScriptCommandWordsMax);
    const size_t keys = command[0] == "PFCOUNT" ? words.size() : 1;
    keys_.insert(keys_.end(), words.begin(), words.begin() + static_cast<ptrdiff_t>(keys));
    AddHead(command[0], keys, words.size() - keys);
    arguments_.insert(arguments_.end(), words.begin() + static_cast<ptrdiff_t>(keys), words.end());
  }
  void AddHead(std::string_view name, size_t keys, size_t further) {
    arguments_.push_back(name);
    arguments_.push_back(numbers_.emplace_back(std::to_string(keys)));
    arguments_.push_back(numbers_.emplace_back(std::to_string(further)));
  }

  // For each command, the number of commands into which it was divided.
  std::vector<size_t> pieces_;
  std::vector<std::string_view> keys_;
  std::vector<std::string_view> arguments_;
  std::deque<std::string> numbers_;
};

asio::awaitable<absl::StatusOr<std::vector<Reply>>> ReadByScript(RedisConnection& connection,
                                                                 const std::vector<RedisCommand>& commands) {
  static const Script read(kReadLua);
  Reads reads;
  for (const RedisCommand& command : commands) reads.Add(command);
  auto reply = co_await read.Run(connection, reads.keys(), reads.arguments());
  if (!reply.ok()) co_return reply.status();
  co_return reads.Join(std::move(reply->elements));
}

// A connection takes a limited number of commands at once. A script is one command, however many it runs.
constexpr size_t kTransactionCommandsMax = 4'096;
static_assert(2 * kTransactionCommandsMax < limits::kStorePendingCommandsMax);

}  // namespace

asio::awaitable<absl::StatusOr<std::vector<Reply>>> ReadTogether(RedisConnection& connection,
                                                                 const std::vector<RedisCommand>& commands) {
  std::vector<Reply> replies;
  bool by_script = commands.size() > kTransactionCommandsMax;
  if (!by_script) {
    auto reply = co_await connection.Transact(commands);
    if (!reply.ok()) co_return reply.status();
    replies = std::move(reply->elements);
    by_script = reply->kind == Reply::Kind::kError;
  }
  if (by_script) {
    auto read = co_await ReadByScript(connection, commands);
    if (!read.ok()) co_return read.status();
    replies = *std::move(read);
  }
  if (replies.size() != commands.size()) co_return absl::DataLossError("Redis answered with too few replies");
  for (const Reply& element : replies) {
    if (element.kind == Reply::Kind::kError) co_return ErrorOfReply(element.text);
  }
  co_return replies;
}

}  // namespace viewcount
