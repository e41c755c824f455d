// Whom a part adds to the sets of viewers, as the calls of one script.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/store/count_store.h"

namespace viewcount {

// What scripts/viewers.lua is given at once.
struct ViewerCall {
  std::vector<std::string_view> keys;
  std::vector<std::string_view> arguments;
};

// Refers to the part, which must outlive it. Not to be moved: its calls refer to it.
class ViewerCalls {
 public:
  explicit ViewerCalls(const Part& part);
  ViewerCalls(const ViewerCalls&) = delete;
  ViewerCalls& operator=(const ViewerCalls&) = delete;

  // None if the part adds nobody. Each keeps Redis for a fraction of a millisecond.
  const std::vector<ViewerCall>& calls() const { return calls_; }

 private:
  void Add(Shard shard, const ViewerSet& set);
  std::string_view Keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  // Of a number of viewers; those of most sets are few.
  std::string_view NumberOf(size_t count);

  std::deque<std::string> texts_;
  std::vector<ViewerCall> calls_;
  // In the last call.
  size_t viewers_ = 0;
};

}  // namespace viewcount
