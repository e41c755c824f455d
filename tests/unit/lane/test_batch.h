// Provides batches whose answer a test waits for.
#pragma once

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "service/base/check.h"
#include "service/model/batch.h"
#include "service/model/decoder.h"
#include "service/sites/site.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {

// Returns a site with an index, as a SiteDirectory assigns it.
inline std::shared_ptr<const Site> MakeIndexed(std::string_view name, uint32_t index, std::string_view zone = "") {
  Site site = *MakeSite(name, {std::string(zone)});
  site.index = {index};
  return std::make_shared<const Site>(std::move(site));
}

// The test owns the batch. Done() may be called on any thread.
class AnsweredBatch : public Batch {
 public:
  struct Answer {
    absl::Status status;
    IngestResult result;
  };

  void Done(const absl::Status& status, const IngestResult& result) final { answer_.set_value({status, result}); }
  // Waits for the answer. Returns UNKNOWN if none comes within 20 seconds.
  Answer Wait() {
    if (future_.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      return {absl::UnknownError("no answer came"), {}};
    }
    return future_.get();
  }
  bool answered() const { return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

 private:
  std::promise<Answer> answer_;
  std::future<Answer> future_ = answer_.get_future();
};

// This batch has one view of each article, and `size` bytes that are not a valid request. It serves tests that never
// read the bytes again.
class TestBatch final : public AnsweredBatch {
 public:
  explicit TestBatch(std::vector<std::string> articles, size_t size = 100)
      : articles_(std::move(articles)), text_(size, 'x') {
    bytes = text_;
    receipt_unix_ms = 1'750'000'000'000;
    receipt_time = std::chrono::steady_clock::now();
    for (const std::string& article : articles_) {
      request.views.push_back({.article_id = article, .event_time_unix_ms = receipt_unix_ms});
    }
    request.view_count = articles_.size();
  }

  TestBatch& From(const WriterId& writer, uint64_t sequence, uint32_t span = 1) {
    request.writer = writer;
    request.sequence = sequence;
    request.sequence_span = span;
    return *this;
  }
  TestBatch& Wishing(Durability durability) {
    request.durability = durability;
    return *this;
  }

 private:
  std::vector<std::string> articles_;
  std::string text_;
};

// This batch looks as the Ingestor submits it. It holds the bytes of the request and the decoder's result.
class EncodedBatch final : public AnsweredBatch {
 public:
  // Creates a batch that was received at `now_unix_ms`. Sets the message's site.
  EncodedBatch(const Site& of, v1::RecordViewsRequest message, int64_t now_unix_ms, SteadyTime now = {}) {
    message.set_site(of.name);
    text_ = message.SerializeAsString();
    bytes = text_;
    site = of.index;
    receipt_unix_ms = now_unix_ms;
    receipt_time = now;
    const absl::Status status = DecodeViewsRequest(bytes, receipt_unix_ms, request);
    VIEWCOUNT_CHECK(status.ok());
  }

 private:
  std::string text_;
};

}  // namespace viewcount
