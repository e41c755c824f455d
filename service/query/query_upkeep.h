// Reads anew, ahead of time, what readers have cached and are asked for, so that who asks need not wait for Redis.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "service/query/count_reader.h"
#include "service/query/popular_reader.h"

namespace viewcount {

// On the store's executor. Readers must outlive it.
class QueryUpkeep {
 public:
  QueryUpkeep(const boost::asio::any_io_executor& executor, CountReader& counts, PopularReader& popular)
      : counts_(counts), popular_(popular), timer_(executor) {}

  // Until Stop.
  boost::asio::awaitable<void> Run();
  void Stop();

 private:
  // Of limits::kCountCacheAge, which leaves time for a slow Redis.
  static constexpr std::chrono::milliseconds kEvery{100};

  CountReader& counts_;
  PopularReader& popular_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
};

}  // namespace viewcount
