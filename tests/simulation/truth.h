// What was sent, what is known of its fate, and what the store must hold therefore.
#pragma once

#include <bit>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "service/ingest/views_request.h"
#include "service/store/count_store.h"
#include "tests/simulation/random.h"
#include "tests/simulation/settings.h"

namespace viewcount::simulation {

// One that is viewed.
struct Article {
  uint32_t site = 0;
  std::string id;
  Shard shard;
};

struct SentView {
  // Index into Truth::articles.
  uint32_t article = 0;
  uint32_t count = 1;
  bool bot = false;
  // 0: not known. Of known ones each views once, but where there is a cool-down: then each views one article only, and
  // one writer alone sends that.
  uint64_t viewer = 0;
  // 0: on receipt.
  int64_t event_unix_ms = 0;
};

// One try at sending a batch; it decides what "on receipt" means, and whose calendar counts.
struct Attempt {
  int64_t receipt_unix_ms = 0;
  uint32_t zone = 0;
  // It was certainly not taken.
  bool refused = false;
};

struct SentBatch {
  enum class Fate : uint8_t {
    // Its sender goes on trying.
    kOpen,
    // To be counted exactly once.
    kCertain,
    // Its sender does not know and has given it up: counted once or not at all.
    kMaybe,
  };
  static constexpr uint32_t kNoWriter = ~uint32_t{0};

  // Index into the clients' writers.
  uint32_t writer = kNoWriter;
  // How often the writer had begun anew under another ID.
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
  // Acknowledged, but perhaps not durable.
  bool in_memory = false;
  // Acknowledged as being in the store.
  bool stored = false;

  uint64_t last_sequence() const { return sequence + span - 1; }
  // It may have been taken.
  bool may_count() const;
};

// People's and bots' views.
struct Sums {
  uint64_t views = 0;
  uint64_t bot_views = 0;
};

// One thread. Batches stay where they are.
class Truth {
 public:
  // What must be in one place of the store: at least `certain`, at most `maybe` more.
  struct Bounds {
    uint64_t certain = 0;
    uint64_t maybe = 0;
  };
  // Index of the article, and the window.
  using Expected = std::map<std::pair<uint32_t, Window>, Bounds>;

  Truth(const Settings& settings, Random& random);

  const std::vector<Article>& articles() const { return articles_; }
  static const std::string& SiteName(uint32_t site);
  static const std::string& ZoneName(uint32_t zone);
  static uint32_t zones();

  SentBatch& Add(SentBatch batch) { return batches_.emplace_back(std::move(batch)); }
  std::deque<SentBatch>& batches() { return batches_; }

  // Of the article: what a machine has acknowledged for good or has in memory now, and what anybody ever sent.
  Sums AcknowledgedBy(uint32_t machine, uint32_t article) const;
  Sums Sent(uint32_t article) const;
  // Of the article: what a machine has acknowledged as being in the store.
  Sums StoredBy(uint32_t machine, uint32_t article) const;
  Expected Expect() const;
  // Of the site's visits, where there is no cool-down.
  Bounds ExpectVisits(uint32_t site) const;

 private:
  Expected ExpectEachView() const;
  // Where there is a cool-down.
  Expected ExpectEachViewer() const;

  const bool cool_down_;
  std::vector<Article> articles_;
  std::deque<SentBatch> batches_;
};

}  // namespace viewcount::simulation
