#include "service/store/redis/viewer_commands.h"

#include <algorithm>
#include <span>

#include "service/base/limits.h"
#include "service/store/redis/keys.h"

namespace viewcount {
namespace {

constexpr std::string_view kExpireSeconds = "900";
static_assert(limits::kOnlineKeysExpireAfter.count() == 900);

// A viewer's eight bytes, as they lie in memory: only their being equal matters.
std::string_view BytesOf(const uint64_t& viewer) { return {reinterpret_cast<const char*>(&viewer), sizeof(viewer)}; }

}  // namespace

ViewerCommands::ViewerCommands(const Part& part) {
  for (const ViewerSet& set : part.viewers) Add(part.shard, set);
}

void ViewerCommands::Add(Shard shard, const ViewerSet& set) {
  const std::string& key = keys_.emplace_back(keys::Viewers(shard, set.site, set.name));
  std::span<const uint64_t> rest(set.viewers);
  while (!rest.empty()) {
    const auto some = rest.first(std::min(rest.size(), limits::kViewersPerCommandMax));
    RedisCommand command = {"PFADD", key};
    for (const uint64_t& viewer : some) command.push_back(BytesOf(viewer));
    RoomFor(some.size()).push_back(std::move(command));
    rest = rest.subspan(some.size());
  }
  if (set.name.kind == ViewerSetName::Kind::kOnline) {
    const RedisCommand command = {"EXPIRE", key, kExpireSeconds};
    RoomFor(1).push_back(command);
  }
}

std::vector<RedisCommand>& ViewerCommands::RoomFor(size_t viewers) {
  if (transactions_.empty() || viewers_ + viewers > limits::kViewersPerTransactionMax) {
    transactions_.emplace_back();
    viewers_ = 0;
  }
  viewers_ += viewers;
  return transactions_.back();
}

}  // namespace viewcount
