// The limits of annotations.
#pragma once

#include <cstddef>

namespace viewcount {

// The number of a site's annotations. All of them are read at once, which takes Redis about a millisecond.
inline constexpr size_t kAnnotationsMax = 1'000;
inline constexpr size_t kAnnotationTextBytesMax = 500;
inline constexpr size_t kAnnotationWhoBytesMax = 200;

}  // namespace viewcount
