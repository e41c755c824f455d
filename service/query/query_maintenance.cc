#include "service/query/query_maintenance.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "service/base/wait_group.h"

namespace viewcount {
namespace asio = boost::asio;

asio::awaitable<void> QueryMaintenance::Run() {
  const auto executor = co_await asio::this_coro::executor;
  WaitGroup marks(executor);
  while (!stopped_) {
    timer_.expires_after(kEvery);
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (stopped_) break;
    WaitGroup refreshes(executor);
    refreshes.Spawn(counts_.Refresh());
    refreshes.Spawn(popular_.Refresh());
    // Marks of many sites take long, and the other reads must not wait for them.
    if (!marking_) marks.Spawn(TakeMarks());
    co_await refreshes.Wait();
  }
  co_await marks.Wait();
}

asio::awaitable<void> QueryMaintenance::TakeMarks() {
  marking_ = true;
  co_await recent_.Refresh();
  marking_ = false;
}

void QueryMaintenance::Stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace viewcount
