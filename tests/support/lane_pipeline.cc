#include "tests/support/lane_pipeline.h"

#include <algorithm>
#include <csignal>
#include <span>
#include <utility>

#include "service/base/check.h"
#include "service/base/wait_group.h"
#include "service/model/decoder.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace asio = boost::asio;

// An import batch that owns its bytes, like a request that the service received. Used by one thread.
class LanePipeline::OwnBatch final : public Batch {
 public:
  OwnBatch(const Site& of, std::span<const DecodedView> views, const Clock& clock) {
    v1::RecordViewsRequest message;
    message.set_site(of.name);
    // An import accepts event times of any age.
    message.set_import(true);
    for (const DecodedView& view : views) {
      auto* added = message.add_views();
      added->set_article_id(std::string(view.article_id));
      added->set_count(view.count);
      added->set_event_time_unix_ms(view.event_time_unix_ms);
      added->set_bot(view.bot);
      added->set_viewer(view.viewer);
    }
    text_ = message.SerializeAsString();
    bytes = text_;
    site = of.index;
    receipt_unix_ms = clock.UnixMillis();
    receipt_time = clock.Now();
    VIEWCOUNT_CHECK(DecodeViewsRequest(bytes, receipt_unix_ms, request).ok());
  }
  void Done(const absl::Status& status, const IngestResult&) override { VIEWCOUNT_CHECK(status.ok()); }

 private:
  std::string text_;
};

LanePipeline::LanePipeline(RedisProcess& redis, Options options) : options_(std::move(options)) {
  RedisStore::Options of_store{.address = *ParseRedisAddress(redis.url()),
                               .data_set = options_.data_set,
                               .keep_data_set = [](DataSetId) { return absl::OkStatus(); },
                               .ranked = options_.ranked,
                               .edit_script = options_.edit_script};
  if (options_.configure) options_.configure(of_store);
  store_ = std::make_unique<RedisStore>(thread_.executor(), std::move(of_store), metrics_);
  // SIGPIPE is ignored, as StopSignal does, because hiredis writes to connections that Redis has closed.
  std::signal(SIGPIPE, SIG_IGN);
  auto directory = LaneDirectory::Open(disk_, clock_, folder_.path(), 0);
  VIEWCOUNT_CHECK(directory.ok());
  auto runtime = LaneRuntime::Open(
      {.disk = disk_, .sites = sites_, .clock = clock_, .metrics = metrics_, .blocking = blocking_.get_executor()}, {},
      *std::move(directory));
  VIEWCOUNT_CHECK(runtime.ok());
  runtime_ = *std::move(runtime);
  VIEWCOUNT_CHECK(sites_.Put(*MakeSite(options_.site, {options_.time_zone})).ok());
  taking().ApplySite(site());
  taking().Step();
  cache_ = std::make_unique<CountCache>(std::vector<CountCache::Lane>{runtime_->cached()});
  counts_ = std::make_unique<CountReader>(*store_, *cache_, clock_);
  popular_ = std::make_unique<PopularReader>(*store_, *cache_, std::vector<Ledger*>{&ledger()}, clock_);
  if (options_.decorate) decorated_ = options_.decorate(*store_);
}

LanePipeline::~LanePipeline() {
  Await([](LanePipeline& self) -> asio::awaitable<bool> {
    if (self.running_ != nullptr) {
      self.runtime_->flusher()->Stop();
      co_await self.running_->Wait();
    }
    self.store_->Close();
    co_return true;
  }(*this));
  thread_.Drain(std::chrono::seconds(5));
}

absl::Status LanePipeline::Open() {
  if (auto status = Await(store_->Open()); !status.ok()) return status;
  return Await([](LanePipeline& self) -> asio::awaitable<absl::Status> {
    CountStore& store = self.decorated_ != nullptr ? *self.decorated_ : *self.store_;
    // The long interval makes the flusher write only when the test requests it.
    const LaneRuntime::FlushParts flush{.store = store,
                                        .listener = *self.cache_,
                                        .interval = std::chrono::hours(1),
                                        .fenced = [&self](const absl::Status& status) { self.fenced_ = status; }};
    if (auto status = co_await self.runtime_->Recover(flush); !status.ok()) co_return status;
    self.running_ = std::make_unique<WaitGroup>(self.thread_.executor());
    self.running_->Spawn(self.runtime_->flusher()->Run());
    co_return absl::OkStatus();
  }(*this));
}

void LanePipeline::Fold(const std::vector<DecodedView>& views) {
  for (size_t begin = 0; begin < views.size(); begin += limits::kBatchViewsMax) {
    const size_t end = std::min(views.size(), begin + limits::kBatchViewsMax);
    OwnBatch batch(*site(), {views.data() + begin, end - begin}, clock_);
    VIEWCOUNT_CHECK(taking().Submit(&batch).ok());
    taking().Step();
  }
}

absl::Status LanePipeline::Flush(std::chrono::milliseconds timeout) {
  return Await(runtime_->flusher()->FlushNow(timeout));
}

absl::StatusOr<Counts> LanePipeline::Read(const std::vector<std::string>& ids) {
  return Await(counts_->Read(site(), ids));
}

absl::StatusOr<PopularList> LanePipeline::Popular(Window window) {
  const size_t places = std::min<size_t>(limits::kRankedAllTimeAndDay, options_.ranked.Of(window.kind));
  return Await(popular_->Read(site(), {.windows = std::vector{window}, .places = places}));
}

}  // namespace viewcount
