// Answers unary calls with coroutines on the store's executor.
#pragma once

#include <absl/status/status.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <functional>
#include <utility>

#include "service/grpc/http2/grpc_status.h"

namespace viewcount {

// Returns the reactor of a call, after finishing the call with `status`.
inline grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const absl::Status& status) {
  auto* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// Runs `answer` on `executor`, and finishes the call with its result. `answer` fills the response. Request and response
// live until then.
inline grpc::ServerUnaryReactor* Spawn(grpc::CallbackServerContext* context,
                                       const boost::asio::any_io_executor& executor,
                                       std::function<boost::asio::awaitable<absl::Status>()> answer) {
  auto* reactor = context->DefaultReactor();
  // The completion handler keeps the function alive, because the coroutine refers to the captures of its lambda.
  auto kept = std::make_shared<std::function<boost::asio::awaitable<absl::Status>()>>(std::move(answer));
  boost::asio::co_spawn(executor, (*kept)(), [reactor, kept](std::exception_ptr error, const absl::Status& status) {
    reactor->Finish(ToGrpc(error ? absl::InternalError("an exception; see the service's log") : status));
  });
  return reactor;
}

}  // namespace viewcount
