// One call of WatchCounts: a subscription whose messages are written as they come.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "service/query/count_watcher.h"
#include "service/sites/site.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {

// Thread safe, as gRPC asks; owns itself until the call is done. Ends when the client goes or the watcher stops. A
// client that reads slowly gets the last state when it comes to it: one message is under way at a time.
class GrpcWatchStream final : public grpc::ServerWriteReactor<v1::WatchCountsResponse> {
 public:
  // `watcher` must outlive the call, and be stopped before the server waits for its calls.
  static GrpcWatchStream* Begin(CountWatcher& watcher, const boost::asio::any_io_executor& executor,
                                std::shared_ptr<const Site> site, std::vector<std::string> ids);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  explicit GrpcWatchStream(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  boost::asio::awaitable<void> Subscribe(CountWatcher& watcher, std::shared_ptr<const Site> site,
                                         std::vector<std::string> ids);
  // Does what there is to do: writes the next message, or ends the call. `subscribed` is where it begins: nobody may
  // end the call between that and its first step.
  void Proceed(std::shared_ptr<CountWatcher::Subscription> subscribed = nullptr);

  const boost::asio::any_io_executor executor_;
  const std::shared_ptr<CountWatcher::Caller> caller_ = std::make_shared<CountWatcher::Caller>();

  std::mutex mutex_;
  // Null until it is subscribed: the call does not end before, as the coroutine refers to it.
  std::shared_ptr<CountWatcher::Subscription> subscription_;
  // What the call ends with.
  std::optional<grpc::Status> end_;
  bool writing_ = false;
  bool finished_ = false;
  // Of the message that is being written.
  v1::WatchCountsResponse response_;
  std::string event_id_;
};

}  // namespace viewcount
