// One call that answers with a stream of messages, written to the client as fast as it reads them.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "service/base/async_event.h"
#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/grpc/http2/grpc_status.h"

namespace viewcount {

// Thread-safe, as gRPC requires. It owns itself until the call is done. A coroutine on the store's executor does all
// the work; the callbacks of gRPC only wake it.
template <typename Response>
class GrpcWriteStream final : public grpc::ServerWriteReactor<Response> {
 public:
  // Writes all messages of a call and returns its status.
  using Body = std::function<boost::asio::awaitable<absl::Status>(GrpcWriteStream& stream)>;

  // The call is cancelled if its client takes longer than `patience` for one message, because it keeps one of few
  // places. `context` is that of the call. All that `body` refers to must outlive the call.
  static GrpcWriteStream* Begin(grpc::CallbackServerContext* context, const boost::asio::any_io_executor& executor,
                                Body body, std::chrono::milliseconds patience = limits::kExportPatience) {
    auto* stream = new GrpcWriteStream(context, executor, std::move(body), patience);
    boost::asio::co_spawn(executor, stream->Run(), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
    return stream;
  }

  // Writes a message, which must stay until then. Returns CANCELLED if the client is gone or too slow. Called by the
  // body only.
  boost::asio::awaitable<absl::Status> Write(const Response& response) {
    writing_ = true;
    patience_timer_.expires_after(patience_);
    // The handler of a timer that expired already may run after this object was deleted.
    const auto waiting = std::make_shared<bool>(true);
    patience_timer_.async_wait([context = context_, waiting](const boost::system::error_code& cancelled) {
      // The write then fails.
      if (!cancelled && *waiting) context->TryCancel();
    });
    this->StartWrite(&response);
    while (writing_) co_await written_.Wait();
    *waiting = false;
    patience_timer_.cancel();
    co_return broken_ ? absl::CancelledError("the client is gone or too slow") : absl::OkStatus();
  }

  void OnWriteDone(bool ok) override {
    boost::asio::post(executor_, [this, ok] {
      writing_ = false;
      broken_ = !ok;
      written_.NotifyAll();
    });
  }
  void OnDone() override { delete this; }

 private:
  GrpcWriteStream(grpc::CallbackServerContext* context, const boost::asio::any_io_executor& executor, Body body,
                  std::chrono::milliseconds patience)
      : context_(context),
        executor_(executor),
        body_(std::move(body)),
        patience_(patience),
        written_(executor),
        patience_timer_(executor) {}

  boost::asio::awaitable<void> Run() {
    const absl::Status status = co_await body_(*this);
    // After Finish this object may be deleted.
    this->Finish(ToGrpc(status));
  }

  grpc::CallbackServerContext* const context_;
  const boost::asio::any_io_executor executor_;
  const Body body_;
  const std::chrono::milliseconds patience_;
  // The members below are used on the executor only.
  AsyncEvent written_;
  boost::asio::steady_timer patience_timer_;
  bool writing_ = false;
  bool broken_ = false;
};

}  // namespace viewcount
