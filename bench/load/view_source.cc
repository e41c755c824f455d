// The requests that record views: RecordViews and StreamViews, whose messages are identical.
#include <algorithm>
#include <vector>

#include "bench/load/encoded_pool.h"
#include "bench/load/request_source.h"
#include "service/base/identifiers.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount::bench {
namespace {

// Returns true if the views may have been counted although the request was answered with `code`.
bool LeavesDoubt(grpc_status_code code) {
  switch (code) {
    case GRPC_STATUS_RESOURCE_EXHAUSTED:
    case GRPC_STATUS_INVALID_ARGUMENT:
    case GRPC_STATUS_FAILED_PRECONDITION:
    case GRPC_STATUS_NOT_FOUND:
    case GRPC_STATUS_PERMISSION_DENIED:
    case GRPC_STATUS_UNIMPLEMENTED:
      return false;
    default:
      return true;
  }
}

// Creates batches of views. Only the writer's sequence distinguishes a new batch from a repeated one, so the views are
// encoded only once. The fields that differ are sent before them, because Protobuf reads concatenated messages as one
// message. Not thread-safe.
class ViewSource final : public RequestSource {
 public:
  explicit ViewSource(const Options& options)
      : method_(options.workload == Workload::kStreams ? "/viewcount.v1.IngestService/StreamViews"
                                                       : "/viewcount.v1.IngestService/RecordViews"),
        has_writers_(options.HasWriters()),
        batch_views_(options.batch_views) {
    v1::RecordViewsRequest header;
    header.set_site(options.site);
    header.set_durability(options.durability);
    FillPool(options, header);
    for (size_t i = 0; i < options.in_flight; ++i) {
      writers_.push_back({.header = header, .batch = pool_.Next()});
      if (has_writers_) Renew(writers_.back());
    }
  }

  const char* method() const override { return method_; }

  Request Next(size_t slot) override {
    Writer& writer = writers_[slot];
    if (!has_writers_) {
      writer.batch = pool_.Next();
      return {.slices = {StaticSlice(pool_[writer.batch])}, .slice_count = 1};
    }
    const size_t size = writer.header.ByteSizeLong();
    grpc_slice header = grpc_slice_malloc(size);
    writer.header.SerializeWithCachedSizesToArray(GRPC_SLICE_START_PTR(header));
    return {.slices = {header, StaticSlice(pool_[writer.batch])}, .slice_count = 2};
  }

  Answer Understand(size_t slot, grpc_status_code code, std::string_view response) override {
    Writer& writer = writers_[slot];
    if (code != GRPC_STATUS_OK) {
      Fail(writer, code);
      return {.code = NameOf(code)};
    }
    v1::RecordViewsResponse message;
    if (!message.ParseFromArray(response.data(), static_cast<int>(response.size()))) return {.code = "UNREADABLE"};
    // If the batch may have been counted before, the duplicate acknowledges that.
    const uint64_t acknowledged = message.duplicate() && writer.doubtful ? batch_views_ : message.accepted_views();
    writer.doubtful = false;
    writer.header.set_sequence(writer.header.sequence() + 1);
    writer.batch = pool_.Next();
    return {.code = "OK", .acknowledged_views = acknowledged, .duplicate = message.duplicate()};
  }

  uint64_t doubtful_views() const override {
    const auto doubtful = std::count_if(writers_.begin(), writers_.end(), [](const Writer& w) { return w.doubtful; });
    return doubtful_views_ + static_cast<uint64_t>(doubtful) * batch_views_;
  }

 private:
  struct Writer {
    // All fields except the views.
    v1::RecordViewsRequest header;
    size_t batch = 0;
    // True if the batch may have been counted. It is sent again until that is known.
    bool doubtful = false;
  };

  static grpc_slice StaticSlice(std::string_view bytes) {
    return grpc_slice_from_static_buffer(bytes.data(), bytes.size());
  }

  static void Renew(Writer& writer) {
    const auto id = RandomId<WriterId>();
    writer.header.set_writer_id(id.bytes.data(), id.bytes.size());
    writer.header.set_sequence(1);
  }

  // Fills the pool. Messages without writers are stored completely.
  void FillPool(const Options& options, const v1::RecordViewsRequest& header) {
    ArticleDraws draws(options);
    v1::RecordViewsRequest message;
    const size_t batches = std::max<size_t>(options.pool_views / batch_views_, 1);
    for (size_t i = 0; i < batches; ++i) {
      message.Clear();
      if (!has_writers_) message = header;
      for (size_t view = 0; view < batch_views_; ++view) message.add_views()->set_article_id(draws.Next());
      pool_.Add(message.SerializeAsString());
    }
  }

  void Fail(Writer& writer, grpc_status_code code) {
    if (!has_writers_) {
      if (LeavesDoubt(code)) doubtful_views_ += batch_views_;
      return;
    }
    if (LeavesDoubt(code)) writer.doubtful = true;
    if (code != GRPC_STATUS_FAILED_PRECONDITION) return;
    // The server no longer knows this writer.
    if (writer.doubtful) doubtful_views_ += batch_views_;
    writer.doubtful = false;
    Renew(writer);
  }

  const char* const method_;
  const bool has_writers_;
  const size_t batch_views_;
  EncodedPool pool_;
  std::vector<Writer> writers_;
  // The doubtful views of batches that are not sent again.
  uint64_t doubtful_views_ = 0;
};

}  // namespace

std::unique_ptr<RequestSource> MakeViewSource(const Options& options) { return std::make_unique<ViewSource>(options); }

}  // namespace viewcount::bench
