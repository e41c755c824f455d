#include "service/model/article_id.h"

#include <gtest/gtest.h>

#include <string>

namespace viewcount {
namespace {

TEST(ArticleId, EveryByteAtEveryPlaceIsJudgedAsByTheSlowCheck) {
  for (size_t size = 0; size <= 40; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(byte);
        ASSERT_EQ(IsArticleIdFast(text), IsArticleId(text)) << size << " " << at << " " << byte;
        ASSERT_EQ(IsAsciiArticleId(text), byte >= 0x20 && byte < 0x7F) << size << " " << at << " " << byte;
      }
    }
  }
}

TEST(ArticleId, LengthIsOneTo512) {
  for (size_t size : {size_t{0}, size_t{1}, limits::kArticleIdBytesMax, limits::kArticleIdBytesMax + 1}) {
    const std::string text(size, 'a');
    EXPECT_EQ(IsArticleIdFast(text), IsArticleId(text)) << size;
    EXPECT_EQ(IsAsciiArticleId(text), size >= 1 && size <= limits::kArticleIdBytesMax) << size;
  }
}

TEST(ArticleId, OtherScriptsAreTaken) {
  EXPECT_TRUE(IsArticleIdFast("/tin-tuc/Số lượt người xem"));
  EXPECT_FALSE(IsAsciiArticleId("/tin-tuc/Số lượt người xem"));
}

}  // namespace
}  // namespace viewcount
