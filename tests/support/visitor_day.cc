#include "tests/support/visitor_day.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "service/base/check.h"

namespace viewcount {
namespace {

constexpr int64_t kMinuteMs = 60'000;
// The length of a pause that ends a visit. kApartMs is a little longer, so that rounding to seconds does not matter.
constexpr int64_t kPauseMs = 30 * kMinuteMs;
constexpr int64_t kApartMs = kPauseMs + 2'000;
// The longest time between two views of a visit.
constexpr int64_t kReadMs = 5 * kMinuteMs;
constexpr uint32_t kViewsMax = 5;
constexpr uint32_t kVisitsMax = 12;
constexpr int64_t kOnlineMs = 5 * kMinuteMs;

double Uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

int64_t UpTo(int64_t most, std::mt19937_64& random) {
  return static_cast<int64_t>(Uniform(random) * static_cast<double>(most));
}

}  // namespace

VisitorDay::VisitorDay(Options options) : options_(options) {
  VIEWCOUNT_CHECK(options_.visits >= options_.viewers && options_.visits <= uint64_t{kVisitsMax} * options_.viewers);
  std::mt19937_64 random(options_.seed);
  std::vector<uint32_t> visits(options_.viewers, 1);
  for (uint32_t left = options_.visits - options_.viewers; left > 0;) {
    uint32_t& of_viewer = visits[random() % options_.viewers];
    if (of_viewer == kVisitsMax) continue;
    ++of_viewer;
    --left;
  }
  for (uint32_t viewer = 0; viewer < options_.viewers; ++viewer) {
    hashes_.push_back(random() | 1);
    AddVisits(viewer, visits[viewer], random);
  }
  std::stable_sort(views_.begin(), views_.end(), [](const View& a, const View& b) { return a.unix_ms < b.unix_ms; });
}

void VisitorDay::AddVisits(uint32_t viewer, uint32_t visits, std::mt19937_64& random) {
  const int64_t length = options_.end_ms - options_.begin_ms;
  const size_t before = views_.size();
  // Repeats until all visits fit into the day.
  while (true) {
    std::vector<int64_t> begins;
    for (uint32_t i = 0; i < visits; ++i) begins.push_back(options_.begin_ms + UpTo(length, random));
    std::sort(begins.begin(), begins.end());
    int64_t last = options_.begin_ms - kApartMs;
    for (int64_t begin : begins) {
      int64_t at = std::max(begin, last + kApartMs);
      if (at >= options_.end_ms) break;
      --visits;
      for (uint32_t view = 0; view < kViewsMax && at < options_.end_ms; ++view) {
        const double rank = std::exp(Uniform(random) * std::log(options_.articles + 1.0));
        views_.push_back({at, viewer, std::min(static_cast<uint32_t>(rank), options_.articles) - 1});
        last = at;
        if (random() % 2 == 0) break;
        at += 1'000 + UpTo(kReadMs - 1'000, random);
      }
    }
    if (visits == 0) return;
    visits = static_cast<uint32_t>(begins.size());
    views_.resize(before);
  }
}

uint64_t VisitorDay::CountVisits() const {
  std::vector<int64_t> last(options_.viewers, options_.begin_ms - 2 * kPauseMs);
  uint64_t visits = 0;
  for (const View& view : views_) {
    visits += view.unix_ms - std::exchange(last[view.viewer], view.unix_ms) > kPauseMs ? 1 : 0;
  }
  return visits;
}

uint64_t VisitorDay::CountViewers() const {
  std::vector<bool> seen(options_.viewers);
  for (const View& view : views_) seen[view.viewer] = true;
  return static_cast<uint64_t>(std::count(seen.begin(), seen.end(), true));
}

std::vector<uint64_t> VisitorDay::CountViewersByArticle() const {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  for (const View& view : views_) pairs.emplace_back(view.article, view.viewer);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  std::vector<uint64_t> viewers(options_.articles);
  for (const auto& [article, viewer] : pairs) ++viewers[article];
  return viewers;
}

uint64_t VisitorDay::CountOnline(int64_t unix_ms) const {
  std::set<uint32_t> online;
  for (auto view = views_.rbegin(); view != views_.rend() && view->unix_ms > unix_ms - kOnlineMs; ++view) {
    if (view->unix_ms <= unix_ms) online.insert(view->viewer);
  }
  return online.size();
}

}  // namespace viewcount
