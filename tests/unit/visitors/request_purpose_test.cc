// Tests which requests a browser sends before a person sees the page.
#include "service/visitors/request_purpose.h"

#include <gtest/gtest.h>

#include <string>

namespace viewcount {
namespace {

TEST(RequestPurpose, WhatBrowsersFetchAheadIsNoView) {
  for (const auto& [field, value] : {
           std::pair("Sec-Purpose", "prefetch"),
           std::pair("Sec-Purpose", "prefetch;prerender"),
           std::pair("Sec-Purpose", "prefetch;anonymous-client-ip"),
           std::pair("Sec-Purpose", "prefetch; prerender"),
           std::pair("Sec-Purpose", "prerender"),
           std::pair("Purpose", "prefetch"),
           std::pair("Purpose", "preview"),
           std::pair("X-Moz", "prefetch"),
       }) {
    EXPECT_TRUE(IsBeforeView(field, value)) << field << ": " << value;
  }
}

TEST(RequestPurpose, CaseDoesNotMatter) {
  EXPECT_TRUE(IsBeforeView("sec-purpose", "Prefetch;PRERENDER"));
  EXPECT_TRUE(IsBeforeView("X-MOZ", "PreFetch"));
}

TEST(RequestPurpose, AnyTokenOfAListCounts) {
  for (const char* value :
       {"a, prefetch", "a;prerender", " \tpreview\t", ",,prefetch", ";;prefetch;;", "a;b=c,prefetch"}) {
    EXPECT_TRUE(IsBeforeView("Purpose", value)) << value;
  }
}

TEST(RequestPurpose, OtherPurposesAreViews) {
  for (const char* value : {"", " ", ",", ";", "navigate", "prefetched", "no-prefetch", "pre", "prefetch=1",
                            "\"prefetch\"", "prefetch\xFF", "p r e f e t c h", "print"}) {
    EXPECT_FALSE(IsBeforeView("Sec-Purpose", value)) << value;
  }
}

TEST(RequestPurpose, OtherFieldsSayNothing) {
  for (const char* field : {"", "Sec-Fetch-Dest", "Sec-Purpose ", "Purposes", "X-Mozilla", "Accept"}) {
    EXPECT_FALSE(IsBeforeView(field, "prefetch")) << field;
  }
}

TEST(RequestPurpose, LongValuesAreReadToTheirEnd) {
  std::string value(16 << 10, ';');
  EXPECT_FALSE(IsBeforeView("Purpose", value));
  EXPECT_TRUE(IsBeforeView("Purpose", value + "prefetch"));
  EXPECT_FALSE(IsBeforeView("Purpose", std::string(16 << 10, 'p')));
}

}  // namespace
}  // namespace viewcount
