#include "tests/fault/load.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "client/cpp/batch_sender.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Large enough to contain the last of 100,000 articles.
constexpr int kTableBits = 21;
constexpr size_t kTableEntries = size_t{1} << kTableBits;
// The time from one round to the next of a writer that is not delayed.
constexpr milliseconds kRoundEvery{100};
// A load that was delayed makes up for at most this time.
constexpr milliseconds kBehindMax{300};

std::shared_ptr<const std::vector<int>> TableOf(int articles) {
  static std::mutex mutex;
  static std::map<int, std::shared_ptr<const std::vector<int>>> tables;
  const std::lock_guard lock(mutex);
  auto& table = tables[articles];
  if (table != nullptr) return table;
  auto made = std::make_shared<std::vector<int>>(kTableEntries);
  for (size_t i = 0; i < kTableEntries; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / kTableEntries;
    (*made)[i] = std::min(static_cast<int>(std::pow(articles, share)), articles) - 1;
  }
  table = std::move(made);
  return table;
}

client::WriterOptions WriterOptionsOf(const Load::Options& options) {
  client::WriterOptions result;
  result.site = "demo";
  // The channel is not shared. Each writer has its own connection, as if it ran on another machine.
  result.channel = client::MakeChannel(options.server);
  result.block_when_full = true;
  result.pending_bytes_max = size_t{8} << 20;
  // The last batch of a round need not wait for more views.
  result.batch_age_max = milliseconds(5);
  result.call_timeout = std::chrono::seconds(10);
  result.batch_timeout = std::chrono::hours(1);
  result.backoff_min = milliseconds(20);
  result.backoff_max = milliseconds(250);
  result.close_timeout = milliseconds(1);
  return result;
}

}  // namespace

ZipfArticles::ZipfArticles(int articles, uint64_t seed) : state_(seed | 1), table_(TableOf(articles)) {}

int ZipfArticles::Draw() {
  // Marsaglia's xorshift64.
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return (*table_)[(state_ * 0x9E3779B97F4A7C15U) >> (64 - kTableBits)];
}

std::string Load::Outcome::ToString() const {
  return absl::StrCat(retries, " retries, ", duplicates, " views acknowledged as duplicates, ", new_identities,
                      " new identities, ", unacknowledged, " views never acknowledged");
}

Load::Load(Options options, Truth& truth) : options_(std::move(options)), truth_(truth) {
  for (int i = 0; i < options_.writers; ++i) {
    auto writer = client::Writer::Create(WriterOptionsOf(options_));
    if (!writer.ok()) ADD_FAILURE() << writer.status();
    writers_.push_back(*std::move(writer));
  }
  for (int i = 0; i < options_.writers; ++i) {
    threads_.emplace_back([this, i] { Write(*writers_[i], options_.seed * 1'000 + i); });
  }
}

Load::~Load() { Stop(milliseconds(0)); }

Load::Outcome Load::Stop(milliseconds patience) {
  if (threads_.empty()) return outcome_;
  give_up_ = steady_clock::now() + patience;
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  for (const auto& writer : writers_) {
    const client::WriterStatistics statistics = writer->statistics();
    outcome_.unacknowledged += statistics.pending + statistics.dropped;
    outcome_.retries += statistics.retries;
    outcome_.duplicates += statistics.duplicates;
    outcome_.new_identities += statistics.new_identities;
  }
  writers_.clear();
  return outcome_;
}

void Load::Write(client::Writer& writer, uint64_t seed) {
  ZipfArticles articles(truth_.articles(), seed * 0x2545F4914F6CDD1DU + 1);
  const uint64_t views =
      std::max<uint64_t>(options_.views_per_second * kRoundEvery.count() / 1'000 / options_.writers, 1);
  std::vector<int> round(views);
  auto next = steady_clock::now();
  while (!stopping_) {
    std::this_thread::sleep_until(next);
    next = std::max(next + kRoundEvery, steady_clock::now() - kBehindMax);
    for (int& article : round) {
      article = articles.Draw();
      truth_.Offer(article);
      if (const auto status = writer.Record({.article_id = truth_.IdOf(article)}); !status.ok()) {
        ADD_FAILURE() << status;
        return;
      }
    }
    if (!Deliver(writer)) return;
    for (const int article : round) truth_.Acknowledge(article);
  }
}

bool Load::Deliver(client::Writer& writer) {
  while (true) {
    const absl::Status status = writer.Flush(milliseconds(100));
    if (status.ok()) return true;
    if (!absl::IsDeadlineExceeded(status)) {
      ADD_FAILURE() << status;
      return false;
    }
    if (stopping_ && steady_clock::now() >= give_up_) return false;
  }
}

}  // namespace viewcount
