// The limits of lists of announced articles.
#pragma once

#include <chrono>
#include <cstddef>

namespace viewcount {

// The maximum number of articles on each side of the middle in an answer of ListArticles.
inline constexpr size_t kListedArticlesMax = 100;
// The number of neighbours that are read at once, at first and at most.
inline constexpr size_t kPublicationStepMin = 64;
inline constexpr size_t kPublicationStepMax = 1'000;
// The number of neighbours that are read at most, to find those of a section.
inline constexpr size_t kPublicationsMax = 10'000;
// How long the neighbours are used without reading them again, and how many such lists are kept, some 2 KiB each.
// Beyond that number all are forgotten.
inline constexpr std::chrono::seconds kPublicationAge{5};
inline constexpr size_t kPublicationListsMax = 4'096;

}  // namespace viewcount
