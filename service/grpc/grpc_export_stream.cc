#include "service/grpc/grpc_export_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "service/base/limits.h"
#include "service/base/status.h"
#include "service/grpc/http2/grpc_status.h"

namespace viewcount {
namespace asio = boost::asio;

GrpcExportStream* GrpcExportStream::Begin(grpc::CallbackServerContext* context, CountExporter& exporter,
                                          const asio::any_io_executor& executor, std::shared_ptr<const Site> site,
                                          std::vector<Window> windows, std::chrono::milliseconds patience) {
  auto* stream = new GrpcExportStream(context, executor, patience);
  asio::co_spawn(executor, stream->Run(exporter, std::move(site), std::move(windows)),
                 [](const std::exception_ptr& error) {
                   if (error) std::rethrow_exception(error);
                 });
  return stream;
}

asio::awaitable<void> GrpcExportStream::Run(CountExporter& exporter, std::shared_ptr<const Site> site,
                                            std::vector<Window> windows) {
  const absl::Status status = co_await WriteAll(exporter, std::move(site), std::move(windows));
  // After Finish this object may be deleted.
  Finish(ToGrpc(status));
}

asio::awaitable<absl::Status> GrpcExportStream::WriteAll(CountExporter& exporter, std::shared_ptr<const Site> site,
                                                         std::vector<Window> windows) {
  const auto begun = co_await exporter.Begin(std::move(site), std::move(windows));
  if (!begun.ok()) co_return begun.status();
  CountExporter::Export& running = **begun;
  while (true) {
    const auto piece = co_await running.Next();
    if (!piece.ok()) co_return piece.status();
    if (!*piece) co_return absl::OkStatus();
    response_.Clear();
    for (size_t i = 0; i < (*piece)->ids.size(); ++i) {
      v1::ArticleCount& count = *response_.add_counts();
      count.set_article_id((*piece)->ids[i]);
      count.set_views((*piece)->totals[i].views);
      count.set_viewers((*piece)->totals[i].viewers);
      count.set_bot_views((*piece)->totals[i].bot_views);
    }
    response_.set_progress(running.progress());
    const bool written = co_await Write();
    if (!written) co_return absl::CancelledError("the client is gone or too slow");
  }
}

asio::awaitable<bool> GrpcExportStream::Write() {
  writing_ = true;
  patience_timer_.expires_after(patience_);
  // The handler of a timer that expired already may run after this object was deleted.
  const auto waiting = std::make_shared<bool>(true);
  patience_timer_.async_wait([context = context_, waiting](const boost::system::error_code& cancelled) {
    // The write then fails.
    if (!cancelled && *waiting) context->TryCancel();
  });
  StartWrite(&response_);
  while (writing_) co_await written_.Wait();
  *waiting = false;
  patience_timer_.cancel();
  co_return !broken_;
}

void GrpcExportStream::OnWriteDone(bool ok) {
  asio::post(executor_, [this, ok] {
    writing_ = false;
    broken_ = !ok;
    written_.NotifyAll();
  });
}

}  // namespace viewcount
