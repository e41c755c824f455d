// Records what was sent and what is known of its fate, and computes what the store must hold.
#pragma once

#include <bit>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "service/base/identifiers.h"
#include "service/model/views_request.h"
#include "service/model/window.h"
#include "tests/simulation/random.h"
#include "tests/simulation/settings.h"

namespace viewcount::simulation {

// An article that is viewed.
struct Article {
  uint32_t site = 0;
  std::string id;
  Shard shard;
};

// A view that was sent.
struct SentView {
  // Index into Truth::articles.
  uint32_t article = 0;
  uint32_t count = 1;
  bool bot = false;
  // The viewer; 0 if not known. Without a cool-down each known viewer views once. With a cool-down each views only one
  // article, and only one writer sends these views.
  uint64_t viewer = 0;
  // The time of the view in Unix milliseconds; 0 means the time of receipt.
  int64_t event_unix_ms = 0;
};

// One attempt to send a batch. It determines the time of receipt, and the time zone by which views are counted.
struct Attempt {
  int64_t receipt_unix_ms = 0;
  uint32_t zone = 0;
  // The attempt was certainly not taken.
  bool refused = false;
};

// A batch and what is known of its fate.
struct SentBatch {
  enum class Fate : uint8_t {
    // The client continues to send the batch.
    kOpen,
    // The batch must be counted exactly once.
    kCertain,
    // The client does not know the outcome and has given the batch up. It counts once or not at all.
    kMaybe,
  };
  static constexpr uint32_t kNoWriter = ~uint32_t{0};

  // Index into the clients' writers.
  uint32_t writer = kNoWriter;
  // How often the writer had started again under another ID.
  uint32_t name = 0;
  uint32_t machine = 0;
  uint32_t site = 0;
  uint64_t sequence = 0;
  uint32_t span = 1;
  Durability durability = Durability::kUnspecified;
  bool import = false;
  std::vector<SentView> views;
  std::vector<Attempt> attempts;
  Fate fate = Fate::kOpen;
  // The batch was acknowledged, but it may not be durable.
  bool in_memory = false;
  // The batch was acknowledged as stored.
  bool stored = false;

  uint64_t last_sequence() const { return sequence + span - 1; }
  // Returns whether the batch may have been taken.
  bool may_count() const;
};

// Sums of people's views and of bots' views.
struct Sums {
  uint64_t views = 0;
  uint64_t bot_views = 0;
};

// Everything that was sent in a run. Not thread-safe. The addresses of batches do not change.
class Truth {
 public:
  // The bounds of one count in the store: at least `certain`, at most `maybe` more.
  struct Bounds {
    uint64_t certain = 0;
    uint64_t maybe = 0;
  };
  // Bounds by article index and window.
  using Expected = std::map<std::pair<uint32_t, Window>, Bounds>;

  Truth(const Settings& settings, Random& random);

  const std::vector<Article>& articles() const { return articles_; }
  static const std::string& SiteName(uint32_t site);
  static const std::string& ZoneName(uint32_t zone);
  static uint32_t zones();

  SentBatch& Add(SentBatch batch) { return batches_.emplace_back(std::move(batch)); }
  std::deque<SentBatch>& batches() { return batches_; }

  // AcknowledgedBy sums up the article's views that a machine has acknowledged for good, or holds in memory now. Sent
  // sums up all views that any client sent.
  Sums AcknowledgedBy(uint32_t machine, uint32_t article) const;
  Sums Sent(uint32_t article) const;
  // Sums up the article's views that a machine has acknowledged as stored.
  Sums StoredBy(uint32_t machine, uint32_t article) const;
  // Returns the bounds of all counts.
  Expected Expect() const;
  // Returns the bounds of the site's visits. Requires a world without a cool-down.
  Bounds ExpectVisits(uint32_t site) const;

 private:
  Expected ExpectEachView() const;
  // The bounds of the views to which a cool-down applies.
  Expected ExpectEachViewer() const;

  const bool cool_down_;
  std::vector<Article> articles_;
  std::deque<SentBatch> batches_;
};

}  // namespace viewcount::simulation
