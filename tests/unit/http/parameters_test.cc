#include "service/http/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "service/base/status.h"

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

TEST(CheckParameters, OnlyKnownNamesAreTaken) {
  constexpr std::array<std::string_view, 2> kKnown = {"article", "label"};
  for (const char* target : {"/", "/?", "/?article=", "/?article=1&article=2&label=x", "/?_=1699&label", "/?&&"}) {
    EXPECT_TRUE(CheckParameters(target, kKnown).ok()) << target;
  }
  const auto error = CheckParameters("/?label=x&artcle=1", kKnown);
  EXPECT_EQ(FieldOf(error), "artcle");
  EXPECT_EQ(error.message(), "artcle: is not known; did you mean article? Known are article, label");
  EXPECT_EQ(FieldOf(CheckParameters("/?Label=1", kKnown)), "Label");
  EXPECT_EQ(FieldOf(CheckParameters("/?=1", kKnown)), "");
  EXPECT_FALSE(CheckParameters("/?=1", kKnown).ok());
  EXPECT_FALSE(CheckParameters("/?article=%", kKnown).ok());
  EXPECT_EQ(CheckParameters("/?x=1", {}).message(), "x: is not known; none is");
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
