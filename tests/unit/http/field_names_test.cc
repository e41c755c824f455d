#include "service/http/field_names.h"

#include <gtest/gtest.h>

#include <array>

#include "service/base/status.h"

namespace viewcount {
namespace {

constexpr std::array<std::string_view, 2> kParameters = {"article", "label"};

TEST(FieldNames, JsonNamesAreThoseOfProto3) {
  EXPECT_EQ(JsonNameOf("page_size"), "pageSize");
  EXPECT_EQ(JsonNameOf("views[0].event_time_unix_ms"), "views[0].eventTimeUnixMs");
  EXPECT_EQ(JsonNameOf("window.day"), "window.day");
  EXPECT_EQ(JsonNameOf("article_ids[12]"), "articleIds[12]");
  EXPECT_EQ(JsonNameOf("_a_"), "A_");
  EXPECT_EQ(JsonNameOf(""), "");
}

TEST(FieldNames, ErrorsNameTheJsonField) {
  const auto error = WithHttpNames(InvalidField("views[3].article_id", "is empty"), {});
  EXPECT_EQ(FieldOf(error), "views[3].articleId");
  EXPECT_EQ(error.message(), "views[3].articleId: is empty");
}

TEST(FieldNames, ErrorsNameTheParameterWhereThereIsOne) {
  EXPECT_EQ(WithHttpNames(InvalidField("article_ids[3]", "is empty"), kParameters).message(), "article[3]: is empty");
  EXPECT_EQ(WithHttpNames(InvalidField("views[0].article_id", "is empty"), kParameters).message(),
            "article[0]: is empty");
  EXPECT_EQ(WithHttpNames(InvalidField("article_ids", "are too many"), kParameters).message(), "article: are too many");
}

TEST(FieldNames, ErrorsWithoutAFieldStay) {
  const auto error = absl::UnavailableError("article_ids are away");
  EXPECT_EQ(WithHttpNames(error, kParameters), error);
}

}  // namespace
}  // namespace viewcount
