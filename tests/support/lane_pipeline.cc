#include "tests/support/lane_pipeline.h"

#include <csignal>
#include <utility>

#include "service/base/check.h"
#include "service/base/wait_group.h"

namespace viewcount {
namespace asio = boost::asio;

class LanePipeline::BareBatch final : public Batch {
 public:
  void Done(const absl::Status&, const IngestResult&) override {}
};

LanePipeline::LanePipeline(RedisProcess& redis, Options options)
    : options_(std::move(options)),
      store_(
          std::make_unique<RedisStore>(thread_.executor(),
                                       RedisStore::Options{.address = *ParseRedisAddress(redis.url()),
                                                           .data_set = options_.data_set,
                                                           .keep_data_set = [](DataSetId) { return absl::OkStatus(); },
                                                           .ranked = options_.ranked},
                                       metrics_)),
      counts_(*store_, cache_, clock_),
      popular_(*store_, cache_, counts_, {&ledger_}, clock_) {
  // As StopSignal does: hiredis writes to connections that Redis has closed.
  std::signal(SIGPIPE, SIG_IGN);
  VIEWCOUNT_CHECK(sites_.Put(*MakeSite(options_.site, options_.time_zone)).ok());
  ledger_.ApplySite(site());
  if (options_.decorate) decorated_ = options_.decorate(*store_);
}

LanePipeline::~LanePipeline() {
  Await([](LanePipeline& self) -> asio::awaitable<bool> {
    if (self.flusher_ != nullptr) {
      self.flusher_->Stop();
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
    self.flusher_ = std::make_unique<Flusher>(
        self.thread_.executor(),
        Flusher::Parts{self.ledger_, self.decorated_ != nullptr ? *self.decorated_ : *self.store_, self.sites_,
                       self.cache_, self.clock_, self.metrics_},
        // Flushes only when the test says so.
        Flusher::Options{self.lane_, std::chrono::hours(1),
                         [&self](const absl::Status& status) { self.fenced_ = status; }});
    self.running_ = std::make_unique<WaitGroup>(self.thread_.executor());
    self.running_->Spawn(self.flusher_->Run());
    co_return absl::OkStatus();
  }(*this));
}

void LanePipeline::Fold(std::vector<DecodedView> views) {
  BareBatch batch;
  batch.site = site()->index;
  batch.receipt_unix_ms = clock_.UnixMillis();
  batch.receipt_time = clock_.Now();
  for (DecodedView& view : views) {
    if (view.event_time_unix_ms == 0) view.event_time_unix_ms = batch.receipt_unix_ms;
  }
  batch.request.views = std::move(views);
  position_.value += 100;
  ledger_.Fold(batch, position_);
}

absl::Status LanePipeline::Flush(std::chrono::milliseconds timeout) { return Await(flusher_->FlushNow(timeout)); }

absl::StatusOr<Counts> LanePipeline::Read(const std::vector<std::string>& ids) {
  return Await(counts_.Read(site(), ids));
}

absl::StatusOr<PopularList> LanePipeline::Popular(Window window) { return Await(popular_.Read(site(), window)); }

}  // namespace viewcount
