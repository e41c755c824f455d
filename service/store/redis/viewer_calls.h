// Converts the viewers to add to sets into calls of a script.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/base/identifiers.h"
#include "service/store/viewer_set.h"

namespace viewcount {

// The keys and arguments of one call of scripts/viewers.lua.
struct ViewerCall {
  std::vector<std::string_view> keys;
  std::vector<std::string_view> arguments;
};

// Refers to the sets, which must outlive it. It cannot be moved, because its calls refer to its texts. Immutable.
class ViewerCalls {
 public:
  // All sets must belong to the shard.
  ViewerCalls(Shard shard, const std::vector<ViewerSet>& sets);
  ViewerCalls(const ViewerCalls&) = delete;
  ViewerCalls& operator=(const ViewerCalls&) = delete;

  // Empty if there are no viewers. Each call keeps Redis busy for a fraction of a millisecond.
  const std::vector<ViewerCall>& calls() const { return calls_; }

 private:
  void Add(Shard shard, const ViewerSet& set);
  std::string_view Keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  // Returns a number of viewers as text. Most numbers have one digit, and these need no new text.
  std::string_view NumberOf(size_t count);

  std::deque<std::string> texts_;
  std::vector<ViewerCall> calls_;
  // The number of viewers in the last call.
  size_t viewers_ = 0;
};

}  // namespace viewcount
