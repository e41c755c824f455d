#include "service/http/json.h"

#include <gtest/gtest.h>

#include "service/base/status.h"
#include "viewcount/v1/ingest.pb.h"

namespace viewcount {
namespace {

absl::Status Parse(std::string_view json) {
  v1::RecordViewsRequest request;
  return FromJson(json, request);
}

TEST(FromJson, AnUnknownFieldIsNamedWithTheNearestOne) {
  const auto error = Parse(R"({"site":"a","view":[]})");
  EXPECT_EQ(FieldOf(error), "view");
  EXPECT_NE(error.message().find("did you mean views? Known are"), std::string::npos) << error.message();
}

TEST(FromJson, AnUnknownFieldWithinAListIsNamedWithItsPlace) {
  const auto error = Parse(R"({"views":[{"articleId":"/a"},{"articelId":"/b"}]})");
  EXPECT_EQ(FieldOf(error), "views[1].articelId");
  EXPECT_NE(error.message().find("did you mean articleId?"), std::string::npos) << error.message();
}

TEST(FromJson, OtherErrorsStateTheMessage) {
  for (const char* json : {"", "{", "[]", R"({"views":1})", R"({"site":{}})", R"({"views":[{"count":"x"}]})"}) {
    const auto error = Parse(json);
    EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_EQ(FieldOf(error), "") << json;
    EXPECT_NE(error.message().find("RecordViewsRequest"), std::string::npos) << error.message();
  }
}

TEST(FromJson, BothNamesOfAFieldAreTaken) {
  EXPECT_TRUE(Parse(R"({"views":[{"articleId":"/a"},{"article_id":"/b"}]})").ok());
}

}  // namespace
}  // namespace viewcount
