// The limits of trending and rising lists.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "service/base/limits.h"
#include "service/base/shared_reads.h"

namespace viewcount {

// The maximum number of articles on a page of these lists.
inline constexpr uint32_t kScoredPageSizeMax = 256;
// The time in which a view loses half of its weight in a trending list.
inline constexpr std::chrono::hours kHalfLifeMin{1};
inline constexpr std::chrono::hours kHalfLifeMax{48};
inline constexpr std::chrono::hours kHalfLifeDefault{6};
// The number of half-lives that are taken into account. The views before them have less than 1/256 of their weight.
inline constexpr int kHalfLives = 8;
// The hours that every site keeps.
inline constexpr std::chrono::hours kTrendingHoursMax = limits::kHourKeysExpireAfter;
static_assert(kTrendingHoursMax < 4 * kHalfLifeMax + std::chrono::hours(1));

// The hours that a rising list calls the present.
inline constexpr std::chrono::hours kRisingHoursMax{24};
inline constexpr std::chrono::hours kRisingHoursDefault{3};
// The time before, which says what is usual. With kRisingHoursMax it has as many hours as are kept.
inline constexpr std::chrono::hours kUsualHours{168};
// An article rises from this score and this number of views on. Chance reaches that score once in 10,000 articles
// (chi-squared distribution, one degree of freedom).
inline constexpr double kRisingScoreMin = 15.1;
inline constexpr uint64_t kRisingViewsMin = 10;
// The number of articles, by views, that are compared with their usual rates.
inline constexpr size_t kRisingCandidatesMax = 1'024;
// A rising list is used for five seconds. Each takes some 100 KiB.
inline constexpr SharedReadLimits kRisingReads{
    .age_max = std::chrono::seconds(5), .kept_max = 256, .running_max = 2, .waiting_max = 32};
// The views beside the scores of a trending list are used for a second.
inline constexpr SharedReadLimits kTrendingViewReads{
    .age_max = limits::kCountCacheAge, .kept_max = 256, .running_max = 2, .waiting_max = 64};
// The number of commands that one read of sums sends at the same time.
inline constexpr size_t kSumCommandsMax = 2'048;
static_assert(4 * kSumCommandsMax < limits::kStorePendingCommandsMax, "lists must not hold up all other questions");

// The length of the list that is read first for a restricted one. A section with a twentieth of the site's articles has
// some 50 of them there.
inline constexpr size_t kRestrictedPlaces = 1'024;
// The number of places, counts and IDs that are remembered of rankings and hashes, about 20 bytes each. A list of 400
// days needs some 1,500,000. Beyond this number the half that was not used for longest is forgotten.
inline constexpr size_t kRememberedEntriesMax = 4'000'000;

// The lists of what is read right now: their step, the longest time, and the number of counts that are remembered for
// them, some 100 bytes each. Beyond that number no further marks are taken.
inline constexpr std::chrono::minutes kRecentStep{5};
inline constexpr std::chrono::minutes kRecentMax{120};
inline constexpr std::chrono::minutes kRecentDefault{15};
inline constexpr size_t kRecentRowsMax = 2'000'000;
// A list of what is read right now is used for a second.
inline constexpr SharedReadLimits kRecentReads{
    .age_max = limits::kCountCacheAge, .kept_max = 256, .running_max = 2, .waiting_max = 64};
// The number of sites for which marks are taken although they were not asked about.
inline constexpr size_t kRecentSitesMax = 64;

}  // namespace viewcount
