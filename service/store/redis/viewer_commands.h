// Who a part adds to the sets of viewers, as commands.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "service/store/count_store.h"
#include "service/store/redis/connection.h"

namespace viewcount {

// Refers to the part, which must outlive it. Not to be moved: its commands refer to it.
class ViewerCommands {
 public:
  explicit ViewerCommands(const Part& part);
  ViewerCommands(const ViewerCommands&) = delete;
  ViewerCommands& operator=(const ViewerCommands&) = delete;

  // None if the part adds nobody. Each keeps Redis for a fraction of a millisecond.
  const std::vector<std::vector<RedisCommand>>& transactions() const { return transactions_; }

 private:
  void Add(Shard shard, const ViewerSet& set);
  std::vector<RedisCommand>& RoomFor(size_t viewers);

  std::deque<std::string> keys_;
  std::vector<std::vector<RedisCommand>> transactions_;
  // In the last transaction.
  size_t viewers_ = 0;
};

}  // namespace viewcount
