// A batch whose answer a test waits for.
#pragma once

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "service/ingest/batch.h"

namespace viewcount {

// Owned by the test; Done from any thread.
class TestBatch final : public Batch {
 public:
  struct Answer {
    absl::Status status;
    IngestResult result;
  };

  // `size` bytes of request, and one view of each article.
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

  void Done(const absl::Status& status, const IngestResult& result) override { answer_.set_value({status, result}); }
  // Waits; fails with UNKNOWN if none comes.
  Answer Wait() {
    if (future_.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      return {absl::UnknownError("no answer came"), {}};
    }
    return future_.get();
  }
  bool answered() const { return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

 private:
  std::vector<std::string> articles_;
  std::string text_;
  std::promise<Answer> answer_;
  std::future<Answer> future_ = answer_.get_future();
};

}  // namespace viewcount
