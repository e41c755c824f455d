// A check of an invariant. It stays on in release builds, because a wrong count is worse than a stop.
#pragma once

#include <cstdio>
#include <cstdlib>

#define VIEWCOUNT_CHECK(condition)                                                       \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
