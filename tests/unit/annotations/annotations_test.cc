#include "service/annotations/annotations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "service/base/hash.h"
#include "service/base/status.h"
#include "service/base/store_thread.h"
#include "tests/support/memory_store.h"

namespace viewcount {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AnnotationsTest : public ::testing::Test {
 protected:
  AnnotationsTest() { EXPECT_TRUE(sites_.Put(*MakeSite("demo", {})).ok()); }
  ~AnnotationsTest() override { thread_.Drain(std::chrono::seconds(5)); }

  static v1::PutAnnotationRequest Of(int64_t seconds, const std::string& text) {
    v1::PutAnnotationRequest request;
    request.set_site("demo");
    request.mutable_annotation()->mutable_time()->set_seconds(seconds);
    request.mutable_annotation()->set_text(text);
    request.mutable_annotation()->set_who("An");
    return request;
  }
  absl::Status Put(const v1::PutAnnotationRequest& request) {
    return thread_.Spawn(annotations_.Put(request, put_)).get();
  }
  std::vector<std::string> Texts() {
    v1::ListAnnotationsRequest request;
    request.set_site("demo");
    v1::ListAnnotationsResponse response;
    EXPECT_TRUE(thread_.Spawn(annotations_.List(request, response)).get().ok());
    std::vector<std::string> texts;
    for (const auto& annotation : response.annotations()) texts.push_back(annotation.text());
    return texts;
  }
  absl::Status Delete(const std::string& id) {
    v1::DeleteAnnotationRequest request;
    request.set_site("demo");
    request.set_annotation_id(id);
    v1::DeleteAnnotationResponse response;
    return thread_.Spawn(annotations_.Delete(request, response)).get();
  }

  StoreThread thread_;
  MemoryStore store_{{}};
  SiteDirectory sites_;
  Annotations annotations_{sites_, store_};
  v1::PutAnnotationResponse put_;
};

TEST_F(AnnotationsTest, TheyAreListedByTime) {
  EXPECT_THAT(Texts(), IsEmpty());
  ASSERT_TRUE(Put(Of(200, "later")).ok());
  ASSERT_TRUE(Put(Of(100, "earlier")).ok());
  EXPECT_THAT(Texts(), ElementsAre("earlier", "later"));
  EXPECT_EQ(put_.annotation().annotation_id().size(), 32u);
}

TEST_F(AnnotationsTest, AnIdReplacesAndDeletes) {
  ASSERT_TRUE(Put(Of(100, "first")).ok());
  const std::string id = put_.annotation().annotation_id();
  auto request = Of(300, "second");
  request.mutable_annotation()->set_annotation_id(id);
  ASSERT_TRUE(Put(request).ok());
  EXPECT_THAT(Texts(), ElementsAre("second"));
  ASSERT_TRUE(Delete(id).ok());
  EXPECT_THAT(Texts(), IsEmpty());
  EXPECT_EQ(ReasonOf(Delete(id)), "UNKNOWN_ANNOTATION");
  EXPECT_EQ(ReasonOf(Put(request)), "UNKNOWN_ANNOTATION");
  EXPECT_EQ(FieldOf(Delete("x")), "annotation_id");
}

TEST_F(AnnotationsTest, WhatIsNotValidIsRefusedWithItsField) {
  EXPECT_TRUE(Put(Of(1, std::string(kAnnotationTextBytesMax, 'x'))).ok());
  const auto refused = [&](auto change) {
    auto request = Of(1, "text");
    change(request);
    return FieldOf(Put(request));
  };
  const auto text = [&](const std::string& value) {
    return refused([&](auto& request) { request.mutable_annotation()->set_text(value); });
  };
  EXPECT_EQ(text(""), "annotation.text");
  EXPECT_EQ(text(std::string(kAnnotationTextBytesMax + 1, 'x')), "annotation.text");
  EXPECT_EQ(text("two\nlines"), "annotation.text");
  EXPECT_EQ(refused([](auto& request) { request.mutable_annotation()->clear_time(); }), "annotation.time");
  for (const int64_t seconds : {int64_t{-1}, int64_t{253'402'300'800}}) {
    EXPECT_EQ(refused([&](auto& request) { request.mutable_annotation()->mutable_time()->set_seconds(seconds); }),
              "annotation.time");
  }
  EXPECT_EQ(refused([](auto& request) { request.mutable_annotation()->mutable_time()->set_nanos(-1); }),
            "annotation.time");
  EXPECT_EQ(refused([](auto& request) { request.mutable_annotation()->clear_who(); }), "annotation.who");
  EXPECT_EQ(refused([](auto& request) { request.mutable_annotation()->set_annotation_id("A"); }),
            "annotation.annotation_id");
  EXPECT_EQ(refused([](auto& request) { request.mutable_annotation()->set_article_id("\n"); }),
            "annotation.article_id");
  auto unknown = Of(1, "text");
  unknown.set_site("nobody");
  EXPECT_EQ(ReasonOf(Put(unknown)), "UNKNOWN_SITE");
}

TEST_F(AnnotationsTest, ASiteHasABoundedNumber) {
  const Shard home = ShardOf(ArticleHash(sites_.Find("demo")->seed, ""));
  for (size_t i = 0; i < kAnnotationsMax; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_TRUE(thread_.Spawn(store_.WriteAnnotation(home, "demo", id, "no message")).get().ok());
  }
  EXPECT_TRUE(absl::IsResourceExhausted(Put(Of(1, "one more"))));
  // Texts that are no annotations are left out.
  EXPECT_THAT(Texts(), IsEmpty());
}

}  // namespace
}  // namespace viewcount
