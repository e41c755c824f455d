#include "service/grpc/grpc_import_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "service/base/status.h"
#include "service/grpc/http2/grpc_status.h"

namespace viewcount {
namespace asio = boost::asio;

GrpcImportStream* GrpcImportStream::Begin(grpc::CallbackServerContext* context, CountImporter& importer,
                                          const asio::any_io_executor& executor, v1::ImportCountsResponse* response,
                                          std::chrono::milliseconds patience) {
  auto* stream = new GrpcImportStream(context, executor, response, patience);
  asio::co_spawn(executor, stream->Run(importer), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  return stream;
}

asio::awaitable<void> GrpcImportStream::Run(CountImporter& importer) {
  const absl::Status status = co_await ReadAll(importer);
  // After Finish this object may be deleted.
  Finish(ToGrpc(status));
}

asio::awaitable<absl::Status> GrpcImportStream::ReadAll(CountImporter& importer) {
  const bool any = co_await Read();
  if (!any || !request_.has_header()) co_return InvalidField("header", "must be in the first message");
  v1::ImportHeader header = request_.header();
  const auto begun = co_await importer.Begin(std::move(header));
  if (!begun.ok()) co_return begun.status();
  while (true) {
    if (auto status = co_await (*begun)->Take(request_); !status.ok()) co_return status;
    const bool more = co_await Read();
    if (!more) break;
    if (request_.has_header()) co_return InvalidField("header", "must be in the first message only");
  }
  // The rows that were taken are imported, even if the client is gone.
  if (context_->IsCancelled()) co_return absl::CancelledError("the client is gone or too slow");
  *response_ = (*begun)->response();
  co_return absl::OkStatus();
}

asio::awaitable<bool> GrpcImportStream::Read() {
  reading_ = true;
  patience_timer_.expires_after(patience_);
  // The handler of a timer that expired already may run after this object was deleted.
  const auto waiting = std::make_shared<bool>(true);
  patience_timer_.async_wait([context = context_, waiting](const boost::system::error_code& cancelled) {
    // The read then fails.
    if (!cancelled && *waiting) context->TryCancel();
  });
  request_.Clear();
  StartRead(&request_);
  while (reading_) co_await read_.Wait();
  *waiting = false;
  patience_timer_.cancel();
  co_return !ended_;
}

void GrpcImportStream::OnReadDone(bool ok) {
  asio::post(executor_, [this, ok] {
    reading_ = false;
    ended_ = !ok;
    read_.NotifyAll();
  });
}

}  // namespace viewcount
