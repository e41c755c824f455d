#include "service/grpc/grpc_export_stream.h"

#include <optional>
#include <utility>

namespace viewcount {
namespace asio = boost::asio;

namespace {

using CountsStream = GrpcWriteStream<v1::ExportCountsResponse>;
using SnapshotStream = GrpcWriteStream<v1::ExportSnapshotResponse>;

asio::awaitable<absl::Status> WriteCounts(CountsStream& stream, CountExporter& exporter,
                                          std::shared_ptr<const Site> site, std::vector<Window> windows) {
  const auto begun = co_await exporter.Begin(std::move(site), std::move(windows));
  if (!begun.ok()) co_return begun.status();
  CountExporter::Export& running = **begun;
  v1::ExportCountsResponse response;
  while (true) {
    const auto piece = co_await running.Next();
    if (!piece.ok()) co_return piece.status();
    if (!*piece) co_return absl::OkStatus();
    response.Clear();
    for (size_t i = 0; i < (*piece)->ids.size(); ++i) {
      v1::ArticleCount& count = *response.add_counts();
      count.set_article_id((*piece)->ids[i]);
      count.set_views((*piece)->totals[i].views);
      count.set_viewers((*piece)->totals[i].viewers);
      count.set_bot_views((*piece)->totals[i].bot_views);
    }
    response.set_progress(running.progress());
    if (auto status = co_await stream.Write(response); !status.ok()) co_return status;
  }
}

asio::awaitable<absl::Status> WriteSnapshot(SnapshotStream& stream, SnapshotExporter& exporter,
                                            std::shared_ptr<const Site> site, v1::ExportSnapshotResponse response) {
  const auto begun = co_await exporter.Begin(std::move(site));
  if (!begun.ok()) co_return begun.status();
  while (true) {
    if (auto status = co_await stream.Write(response); !status.ok()) co_return status;
    const auto more = co_await (*begun)->Next(response);
    if (!more.ok()) co_return more.status();
    if (!*more) co_return absl::OkStatus();
  }
}

}  // namespace

grpc::ServerWriteReactor<v1::ExportCountsResponse>* ExportCounts(
    grpc::CallbackServerContext* context, CountExporter& exporter, const asio::any_io_executor& executor,
    std::shared_ptr<const Site> site, std::vector<Window> windows, std::chrono::milliseconds patience) {
  auto body = [&exporter, site = std::move(site), windows = std::move(windows)](CountsStream& stream) {
    return WriteCounts(stream, exporter, site, windows);
  };
  return CountsStream::Begin(context, executor, std::move(body), patience);
}

grpc::ServerWriteReactor<v1::ExportSnapshotResponse>* ExportSnapshot(
    grpc::CallbackServerContext* context, SnapshotExporter& exporter, const asio::any_io_executor& executor,
    std::shared_ptr<const Site> site, v1::ExportSnapshotResponse first, std::chrono::milliseconds patience) {
  auto body = [&exporter, site = std::move(site), first = std::move(first)](SnapshotStream& stream) {
    return WriteSnapshot(stream, exporter, site, first);
  };
  return SnapshotStream::Begin(context, executor, std::move(body), patience);
}

}  // namespace viewcount
