// Answers a request with the response of an API that runs on the store's thread.
#pragma once

#include <absl/status/statusor.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <utility>

#include "service/http/json.h"
#include "service/http/on_store.h"
#include "service/http/router.h"

namespace viewcount {

// Runs `ask` of `api` on `store`, and returns its response as JSON. `api` must outlive the call.
template <typename Api, typename Request, typename Response>
boost::asio::awaitable<absl::StatusOr<HttpResponse>> AnswerFrom(
    boost::asio::any_io_executor store, Api& api, Request question,
    boost::asio::awaitable<absl::Status> (Api::*ask)(const Request&, Response&)) {
  Response response;
  const auto status = co_await OnStore(std::move(store), (api.*ask)(question, response));
  if (!status.ok()) co_return status;
  co_return JsonResponse(response);
}

}  // namespace viewcount
