#include "service/store/redis/viewer_calls.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "service/base/limits.h"
#include "service/store/redis/keys.h"

namespace viewcount {
namespace {

constexpr std::string_view kOnlineSeconds = "900";
static_assert(limits::kOnlineKeysExpireAfter.count() == 900);

// A viewer's eight bytes, in the byte order of the machine. Viewers are only compared for equality.
std::string_view BytesOf(const uint64_t& viewer) { return {reinterpret_cast<const char*>(&viewer), sizeof(viewer)}; }

}  // namespace

ViewerCalls::ViewerCalls(Shard shard, const std::vector<ViewerSet>& sets) {
  for (const ViewerSet& set : sets) Add(shard, set);
}

void ViewerCalls::Add(Shard shard, const ViewerSet& set) {
  const std::string_view key = Keep(keys::Viewers(shard, set.site, set.name));
  const std::string_view seconds = set.name.kind == ViewerSetName::Kind::kOnline ? kOnlineSeconds : "0";
  std::span<const uint64_t> rest(set.viewers);
  while (!rest.empty()) {
    const auto some = rest.first(std::min(rest.size(), limits::kViewersPerCallMax));
    if (calls_.empty() || viewers_ + some.size() > limits::kViewersPerCallMax) {
      calls_.emplace_back();
      viewers_ = 0;
    }
    viewers_ += some.size();
    ViewerCall& call = calls_.back();
    call.keys.push_back(key);
    call.arguments.push_back(seconds);
    call.arguments.push_back(NumberOf(some.size()));
    for (const uint64_t& viewer : some) call.arguments.push_back(BytesOf(viewer));
    rest = rest.subspan(some.size());
  }
}

std::string_view ViewerCalls::NumberOf(size_t count) {
  constexpr std::string_view kDigits = "0123456789";
  return count < kDigits.size() ? kDigits.substr(count, 1) : Keep(std::to_string(count));
}

}  // namespace viewcount
