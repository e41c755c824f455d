#include "service/http/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace viewcount {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

TEST(Parameters, AreFoundByNameInOrder) {
  const auto parameters = Parameters::Parse("/counts?article=/a&x=1&article=/b&article=");
  ASSERT_TRUE(parameters.ok());
  EXPECT_THAT(parameters->All("article"), ElementsAre("/a", "/b", ""));
  EXPECT_THAT(parameters->Find("article"), Optional(std::string()));
  EXPECT_THAT(parameters->Find("x"), Optional(std::string("1")));
  EXPECT_EQ(parameters->Find("y"), std::nullopt);
  EXPECT_THAT(parameters->All("y"), IsEmpty());
}

TEST(Parameters, EscapesAreUndoneInNamesAndValues) {
  const auto parameters = Parameters::Parse("/?art%69cle=%2Fa%20b+c%26%3d%C3%A9%00&d=1%2B1");
  ASSERT_TRUE(parameters.ok());
  EXPECT_THAT(parameters->Find("article"), Optional(std::string("/a b c&=\xC3\xA9\0", 11)));
  EXPECT_THAT(parameters->Find("d"), Optional(std::string("1+1")));
}

TEST(Parameters, WhatBrowsersLeaveUnescapedIsTaken) {
  EXPECT_THAT(Parameters::Parse("/?a=b=c|[x]{y}\xC3\xA9?z")->Find("a"), Optional(std::string("b=c|[x]{y}\xC3\xA9?z")));
}

TEST(Parameters, EmptyPiecesAndNoQueryAreNothing) {
  EXPECT_EQ(Parameters::Parse("/path")->Find(""), std::nullopt);
  EXPECT_EQ(Parameters::Parse("/path?")->Find(""), std::nullopt);
  EXPECT_THAT(Parameters::Parse("/path?&&a&&b")->All("a"), ElementsAre(""));
}

TEST(Parameters, BrokenEscapesAreRefused) {
  for (const char* bad : {"/?a=%", "/?a=%1", "/?a=%G0", "/?%=a", "/?a=%+1", "/?a=%-1", "/?a=% 1", "/?a=%1&b=2"}) {
    EXPECT_EQ(Parameters::Parse(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace viewcount
