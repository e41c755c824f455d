#include "tests/simulation/truth.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "service/base/check.h"
#include "service/base/hash.h"
#include "service/sites/site.h"

namespace viewcount::simulation {
namespace {

const std::vector<std::string> kSites = {"news", "a.b", "zebra"};
const std::vector<std::string> kZones = {"UTC", "Asia/Ho_Chi_Minh", "America/New_York", "Pacific/Kiritimati",
                                         "Australia/Lord_Howe"};

uint32_t DayOf(uint32_t zone, int64_t unix_ms) {
  static const std::vector<absl::TimeZone> zones = [] {
    std::vector<absl::TimeZone> loaded(kZones.size());
    for (size_t i = 0; i < kZones.size(); ++i) VIEWCOUNT_CHECK(absl::LoadTimeZone(kZones[i], &loaded[i]));
    return loaded;
  }();
  return DayNumber(absl::ToCivilDay(absl::FromUnixMillis(unix_ms), zones[zone]));
}

// Returns the windows in which a view is counted if this attempt was the one that was taken.
std::vector<Window> WindowsOf(const SentView& view, const Attempt& attempt) {
  if (view.bot) return {{Window::Kind::kBots, 0}};
  const int64_t at = view.event_unix_ms != 0 ? view.event_unix_ms : attempt.receipt_unix_ms;
  return {{Window::Kind::kAllTime, 0},
          {Window::Kind::kDay, DayOf(attempt.zone, at)},
          {Window::Kind::kHour, static_cast<uint32_t>(at / 3'600'000)}};
}

// Returns whether a cool-down applies to the view, so that it counts at most once per viewer.
bool IsCooled(const SentView& view, bool cool_down) { return cool_down && view.viewer != 0 && !view.bot; }

// The part of a batch's views that is summed up.
enum class Share : uint8_t { kNothing, kWithoutCooled, kAll };
Share AllIf(bool condition) { return condition ? Share::kAll : Share::kNothing; }

template <typename Which>
Sums SumOf(const std::deque<SentBatch>& batches, uint32_t article, bool cool_down, Which which) {
  Sums sums;
  std::set<uint64_t> viewers;
  for (const SentBatch& batch : batches) {
    if (which(batch) == Share::kNothing) continue;
    for (const SentView& view : batch.views) {
      if (view.article != article) continue;
      if (IsCooled(view, cool_down)) {
        if (which(batch) == Share::kAll) sums.views += viewers.insert(view.viewer).second ? 1 : 0;
      } else {
        (view.bot ? sums.bot_views : sums.views) += view.count;
      }
    }
  }
  return sums;
}

// Returns the windows in which the view may be counted, given all attempts that may have been taken.
std::set<Window> WindowsOf(const SentView& view, const SentBatch& batch) {
  std::set<Window> windows;
  for (const Attempt& attempt : batch.attempts) {
    if (attempt.refused) continue;
    for (const Window window : WindowsOf(view, attempt)) windows.insert(window);
  }
  return windows;
}

// Adds a count to the windows. If there are several days or several hours, only one of them gets the count; it is not
// known which.
void AddTo(Truth::Expected& expected, uint32_t article, const std::set<Window>& windows, bool certain, uint64_t count) {
  for (const Window window : windows) {
    const bool only_one = std::none_of(windows.begin(), windows.end(), [&](const Window other) {
      return other.kind == window.kind && other.number != window.number;
    });
    Truth::Bounds& bounds = expected[{article, window}];
    (certain && only_one ? bounds.certain : bounds.maybe) += count;
  }
}

}  // namespace

bool SentBatch::may_count() const {
  return std::any_of(attempts.begin(), attempts.end(), [](const Attempt& attempt) { return !attempt.refused; });
}

const std::string& Truth::SiteName(uint32_t site) { return kSites[site]; }
const std::string& Truth::ZoneName(uint32_t zone) { return kZones[zone]; }
uint32_t Truth::zones() { return static_cast<uint32_t>(kZones.size()); }

Truth::Truth(const Settings& settings, Random& random) : cool_down_(settings.cool_down) {
  ShardSet shards;
  while (static_cast<uint32_t>(std::popcount(shards.bits)) < settings.shards) {
    shards.Add(Shard{static_cast<uint8_t>(random.Below(limits::kShards))});
  }
  for (uint32_t number = 0; articles_.size() < settings.articles; ++number) {
    const uint32_t site = number % settings.sites;
    std::string id = fmt::format("{}/{}", number % 7, number);
    const Shard shard = ShardOf(ArticleHash(Hash64(kSites[site]), id));
    if (shards.Has(shard)) articles_.push_back({site, std::move(id), shard});
  }
}

Sums Truth::AcknowledgedBy(uint32_t machine, uint32_t article) const {
  return SumOf(batches_, article, cool_down_, [&](const SentBatch& batch) {
    if (batch.machine != machine) return Share::kNothing;
    if (batch.fate == SentBatch::Fate::kCertain) return Share::kAll;
    // A view may be within the cool-down of another one that waits for the same sync and is not acknowledged yet.
    return batch.in_memory ? Share::kWithoutCooled : Share::kNothing;
  });
}

Sums Truth::Sent(uint32_t article) const {
  return SumOf(batches_, article, cool_down_, [&](const SentBatch& batch) { return AllIf(batch.may_count()); });
}

Sums Truth::StoredBy(uint32_t machine, uint32_t article) const {
  return SumOf(batches_, article, cool_down_, [&](const SentBatch& batch) {
    return AllIf(batch.machine == machine && batch.stored && batch.fate == SentBatch::Fate::kCertain);
  });
}

Truth::Bounds Truth::ExpectVisits(uint32_t site) const {
  Bounds bounds;
  for (const SentBatch& batch : batches_) {
    if (batch.site != site || !batch.may_count()) continue;
    const auto visits =
        std::ranges::count_if(batch.views, [](const SentView& view) { return view.viewer != 0 && !view.bot; });
    (batch.fate == SentBatch::Fate::kCertain ? bounds.certain : bounds.maybe) += static_cast<uint64_t>(visits);
  }
  return bounds;
}

Truth::Expected Truth::Expect() const {
  Expected expected = ExpectEachView();
  for (const auto& [place, bounds] : ExpectEachViewer()) {
    expected[place].certain += bounds.certain;
    expected[place].maybe += bounds.maybe;
  }
  return expected;
}

Truth::Expected Truth::ExpectEachView() const {
  Expected expected;
  for (const SentBatch& batch : batches_) {
    for (const SentView& view : batch.views) {
      if (IsCooled(view, cool_down_)) continue;
      AddTo(expected, view.article, WindowsOf(view, batch), batch.fate == SentBatch::Fate::kCertain, view.count);
    }
  }
  return expected;
}

// The view of a viewer that was taken first counts. It counts as 1, whatever its count says.
Truth::Expected Truth::ExpectEachViewer() const {
  struct Viewer {
    uint32_t article = 0;
    std::set<Window> windows = {};
    bool certain = false;
  };
  std::map<uint64_t, Viewer> viewers;
  for (const SentBatch& batch : batches_) {
    for (const SentView& view : batch.views) {
      if (!IsCooled(view, cool_down_)) continue;
      Viewer& viewer = viewers[view.viewer];
      viewer.article = view.article;
      viewer.certain = viewer.certain || batch.fate == SentBatch::Fate::kCertain;
      viewer.windows.merge(WindowsOf(view, batch));
    }
  }
  Expected expected;
  for (const auto& [name, viewer] : viewers) AddTo(expected, viewer.article, viewer.windows, viewer.certain, 1);
  return expected;
}

}  // namespace viewcount::simulation
