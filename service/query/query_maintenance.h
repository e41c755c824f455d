// Reads cached data again before it is too old, if it is requested, so that requests need not wait for Redis. Takes the
// marks of RecentReader.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "service/query/count_reader.h"
#include "service/query/popular_reader.h"
#include "service/query/recent_reader.h"

namespace viewcount {

// Used on the store's executor. The readers must outlive it.
class QueryMaintenance {
 public:
  QueryMaintenance(const boost::asio::any_io_executor& executor, CountReader& counts, PopularReader& popular,
                   RecentReader& recent)
      : counts_(counts), popular_(popular), recent_(recent), timer_(executor) {}

  // Refreshes the readers every kEvery until Stop.
  boost::asio::awaitable<void> Run();
  void Stop();

 private:
  // A tenth of limits::kCountCacheAge, which leaves time for a slow Redis.
  static constexpr std::chrono::milliseconds kEvery{100};

  boost::asio::awaitable<void> TakeMarks();

  CountReader& counts_;
  PopularReader& popular_;
  RecentReader& recent_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
  bool marking_ = false;
};

}  // namespace viewcount
