// The limits of lists of announced articles.
#pragma once

#include <chrono>
#include <cstddef>

#include "service/base/shared_reads.h"

namespace viewcount {

// The maximum number of articles on each side of the middle in an answer of ListArticles.
inline constexpr size_t kListedArticlesMax = 100;
// The number of neighbours that are read at once, at first and at most.
inline constexpr size_t kPublicationStepMin = 64;
inline constexpr size_t kPublicationStepMax = 1'000;
// The number of neighbours that are read at most, to find those of a section.
inline constexpr size_t kPublicationsMax = 2'000;
// The neighbours are used for five seconds. A list takes some kilobytes; one of 100 articles with long descriptions may
// take a megabyte.
inline constexpr SharedReadLimits kPublicationReads{
    .age_max = std::chrono::seconds(5), .kept_max = 256, .running_max = 4, .waiting_max = 256};

}  // namespace viewcount
