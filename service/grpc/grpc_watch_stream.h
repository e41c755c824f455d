// One call of WatchCounts: a subscription whose messages are written to the client as they come.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/base/mutex.h"
#include "service/query/asked_articles.h"
#include "service/query/count_watcher.h"
#include "service/sites/site.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Thread-safe, as gRPC requires. It owns itself until the call is done. The call ends when the client disconnects or
// the watcher stops. Only one message is under way at a time. So a client that reads slowly gets the latest state when
// it reads.
class GrpcWatchStream final : public grpc::ServerWriteReactor<v1::WatchCountsResponse> {
 public:
  // `watcher` must outlive the call. It must be stopped before the server waits for its calls.
  static GrpcWatchStream* Begin(CountWatcher& watcher, const boost::asio::any_io_executor& executor,
                                const std::shared_ptr<const Site>& site, const v1::WatchCountsRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  GrpcWatchStream(boost::asio::any_io_executor executor, AskedArticles asked)
      : executor_(std::move(executor)), asked_(std::move(asked)) {}

  boost::asio::awaitable<void> Subscribe(CountWatcher& watcher, std::shared_ptr<const Site> site);
  // Performs the next step: writes the next message, or ends the call. `subscribed` is the new subscription at the
  // first step. It is stored in that same step, so that no other thread can end the call in between.
  void Proceed(std::shared_ptr<CountWatcher::Subscription> subscribed = nullptr);

  const boost::asio::any_io_executor executor_;
  const AskedArticles asked_;
  const std::shared_ptr<CountWatcher::Caller> caller_ = std::make_shared<CountWatcher::Caller>();

  Mutex mutex_;
  // Null until the coroutine has subscribed. The call does not end before that, because the coroutine refers to it.
  std::shared_ptr<CountWatcher::Subscription> subscription_ ABSL_GUARDED_BY(mutex_);
  // The status with which the call ends.
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  // True until the first message.
  bool first_ ABSL_GUARDED_BY(mutex_) = true;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  // The message that is being written, and its event ID.
  v1::WatchCountsResponse response_;
  std::string event_id_;
};

}  // namespace viewcount
