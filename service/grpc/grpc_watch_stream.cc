#include "service/grpc/grpc_watch_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <functional>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/grpc/http2/grpc_status.h"

namespace viewcount {
namespace asio = boost::asio;

GrpcWatchStream* GrpcWatchStream::Begin(CountWatcher& watcher, const asio::any_io_executor& executor,
                                        const std::shared_ptr<const Site>& site,
                                        const v1::WatchCountsRequest& request) {
  auto* stream = new GrpcWatchStream(executor, AskedArticles(*site, request));
  asio::co_spawn(executor, stream->Subscribe(watcher, site), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  return stream;
}

asio::awaitable<void> GrpcWatchStream::Subscribe(CountWatcher& watcher, std::shared_ptr<const Site> site) {
  std::function<void()> notify = [this]() { Proceed(); };
  auto subscription = co_await watcher.Subscribe(std::move(site), asked_.ids(), "", std::move(notify), caller_);
  if (!subscription.ok()) {
    // No message was written, and no other code ends a call without a subscription.
    Finish(ToGrpc(subscription.status()));
    co_return;
  }
  Proceed(*std::move(subscription));
}

void GrpcWatchStream::Proceed(std::shared_ptr<CountWatcher::Subscription> subscribed) {
  std::optional<grpc::Status> end;
  {
    const MutexLock lock(mutex_);
    if (subscribed != nullptr) subscription_ = std::move(subscribed);
    if (subscription_ == nullptr || writing_ || finished_) return;
    if (!end_ && subscription_->ended()) {
      end_ = ToGrpc(RetryLater(absl::StatusCode::kUnavailable, "the service is stopping", limits::kRetryDelay));
    }
    if (end_) {
      finished_ = true;
      end = end_;
    } else {
      writing_ = subscription_->Take(response_, event_id_);
      if (!writing_) return;
      asked_.Complete(response_, std::exchange(first_, false));
    }
  }
  // The mutex must not be held here, because gRPC may call back immediately. After Finish this object may be deleted.
  if (end) return Finish(*end);
  StartWrite(&response_);
}

void GrpcWatchStream::OnWriteDone(bool ok) {
  {
    const MutexLock lock(mutex_);
    writing_ = false;
    if (!ok && !end_) end_ = grpc::Status::CANCELLED;
  }
  Proceed();
}

void GrpcWatchStream::OnDone() {
  std::shared_ptr<CountWatcher::Subscription> subscription;
  {
    const MutexLock lock(mutex_);
    subscription = std::move(subscription_);
  }
  // Waits until a running call of `notify`, which refers to this object, is over.
  subscription.reset();
  delete this;
}

void GrpcWatchStream::OnCancel() {
  {
    const MutexLock lock(mutex_);
    if (!end_) end_ = grpc::Status::CANCELLED;
  }
  // Before Proceed, after which this may be gone.
  asio::post(executor_, [caller = caller_] { caller->Leave(); });
  Proceed();
}

}  // namespace viewcount
