#include "service/base/private_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "service/base/hash.h"

namespace viewcount {
namespace {

TEST(PrivateHash, IsTheSameInOneObjectAndAnotherInTheNext) {
  const PrivateHash hash;
  const PrivateHash other;
  for (const size_t size : {0, 1, 8, 16, 17, 200, 2'000}) {
    const std::string text(size, 'x');
    EXPECT_EQ(hash.Of(text), hash.Of(text));
    EXPECT_NE(hash.Of(text), other.Of(text)) << size;
    EXPECT_NE(hash.Of(text), Hash64(text)) << size;
  }
}

}  // namespace
}  // namespace viewcount
