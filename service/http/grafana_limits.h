// The limits of the routes for Grafana.
#pragma once

#include <cstddef>
#include <cstdint>

#include "service/base/limits.h"

namespace viewcount {

// The number of targets in one question. A panel has one for each letter.
inline constexpr size_t kGrafanaTargetsMax = 26;
// The number of points in a series, whatever the panel asks for.
inline constexpr int64_t kGrafanaPointsMax = 1'000;
static_assert(kGrafanaPointsMax <= static_cast<int64_t>(limits::kSeriesPointsMax));
// The days that a series or a list covers. The days before are left out.
inline constexpr int64_t kGrafanaSeriesDaysMax = limits::kSeriesPointsMax;
inline constexpr int64_t kGrafanaTopDaysMax = limits::kWindowPartsMax;
// The hours at the edges of a list are not more than the days.
static_assert(limits::kHourKeysExpireAfter.count() <= static_cast<int64_t>(limits::kWindowPartsMax));
// The number of articles in a table.
inline constexpr int64_t kGrafanaTopMax = limits::kPageSizeMax;
inline constexpr int64_t kGrafanaTopDefault = 20;
// The number of sites that are offered for choice. Others can be written.
inline constexpr size_t kGrafanaSitesMax = 1'000;

}  // namespace viewcount
