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

// The windows that a view is counted in if this attempt is the one that was taken.
std::vector<Window> WindowsOf(const SentView& view, const Attempt& attempt) {
  if (view.bot) return {{Window::Kind::kBots, 0}};
  const int64_t at = view.event_unix_ms != 0 ? view.event_unix_ms : attempt.receipt_unix_ms;
  return {{Window::Kind::kAllTime, 0},
          {Window::Kind::kDay, DayOf(attempt.zone, at)},
          {Window::Kind::kHour, static_cast<uint32_t>(at / 3'600'000)}};
}

template <typename Which>
Sums SumOf(const std::deque<SentBatch>& batches, uint32_t article, Which which) {
  Sums sums;
  for (const SentBatch& batch : batches) {
    if (!which(batch)) continue;
    for (const SentView& view : batch.views) {
      if (view.article == article) (view.bot ? sums.bot_views : sums.views) += view.count;
    }
  }
  return sums;
}

}  // namespace

bool SentBatch::may_count() const {
  return std::any_of(attempts.begin(), attempts.end(), [](const Attempt& attempt) { return !attempt.refused; });
}

const std::string& Truth::SiteName(uint32_t site) { return kSites[site]; }
const std::string& Truth::ZoneName(uint32_t zone) { return kZones[zone]; }
uint32_t Truth::zones() { return static_cast<uint32_t>(kZones.size()); }

Truth::Truth(const Settings& settings, Random& random) {
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
  return SumOf(batches_, article, [&](const SentBatch& batch) {
    return batch.machine == machine && (batch.fate == SentBatch::Fate::kCertain || batch.in_memory);
  });
}

Sums Truth::Sent(uint32_t article) const {
  return SumOf(batches_, article, [&](const SentBatch& batch) { return batch.may_count(); });
}

Sums Truth::Stored(uint32_t article) const {
  return SumOf(batches_, article,
               [&](const SentBatch& batch) { return batch.stored && batch.fate == SentBatch::Fate::kCertain; });
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
  Expected expected;
  for (const SentBatch& batch : batches_) {
    for (const SentView& view : batch.views) {
      std::set<Window> windows;
      for (const Attempt& attempt : batch.attempts) {
        if (attempt.refused) continue;
        for (const Window window : WindowsOf(view, attempt)) windows.insert(window);
      }
      for (const Window window : windows) {
        const bool only_day = std::none_of(windows.begin(), windows.end(), [&](const Window other) {
          return other.kind == window.kind && other.number != window.number;
        });
        Bounds& bounds = expected[{view.article, window}];
        (batch.fate == SentBatch::Fate::kCertain && only_day ? bounds.certain : bounds.maybe) += view.count;
      }
    }
  }
  return expected;
}

}  // namespace viewcount::simulation
