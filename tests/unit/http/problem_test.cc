#include "service/http/problem.h"

#include <gtest/gtest.h>

#include "service/base/service_full.h"
#include "service/base/status.h"

namespace viewcount {
namespace {

namespace http = boost::beast::http;

TEST(Problem, SaysCodeReasonAndField) {
  const HttpResponse site = Problem(UnknownSite("x"));
  EXPECT_EQ(site.result(), http::status::not_found);
  EXPECT_NE(site.body().find(R"("code":"NOT_FOUND","reason":"UNKNOWN_SITE"})"), std::string::npos) << site.body();
  const HttpResponse field = Problem(InvalidField("views[3].article_id", "is \"bad\"\n"));
  EXPECT_EQ(field.result(), http::status::bad_request);
  EXPECT_NE(field.body().find(R"("detail":"views[3].article_id: is \"bad\"\u000a")"), std::string::npos)
      << field.body();
  EXPECT_NE(field.body().find(R"("code":"INVALID_ARGUMENT","field":"views[3].article_id"})"), std::string::npos);
}

TEST(Problem, AServiceThatIsFullIsUnavailableAndACallerWhoSendsTooMuchIsNot) {
  const HttpResponse full = Problem(ServiceFull("no room", kFullBudget, std::chrono::milliseconds(500)));
  EXPECT_EQ(full.result(), http::status::service_unavailable);
  EXPECT_EQ(full[http::field::retry_after], "1");
  EXPECT_NE(full.body().find(R"("status":503,"detail":"no room","code":"RESOURCE_EXHAUSTED","reason":"SERVICE_FULL"})"),
            std::string::npos)
      << full.body();
  const auto flood = RetryLater(absl::StatusCode::kResourceExhausted, "too much", std::chrono::milliseconds(500));
  EXPECT_EQ(Problem(flood).result(), http::status::too_many_requests);
}

TEST(Problem, RetryAfterIsInWholeSecondsFromOneOn) {
  const auto retry_after = [](int delay_ms) {
    const auto status = RetryLater(absl::StatusCode::kUnavailable, "away", std::chrono::milliseconds(delay_ms));
    return std::string(Problem(status)[http::field::retry_after]);
  };
  EXPECT_EQ(retry_after(0), "1");
  EXPECT_EQ(retry_after(500), "1");
  EXPECT_EQ(retry_after(1'000), "1");
  EXPECT_EQ(retry_after(1'001), "2");
  EXPECT_EQ(Problem(absl::UnavailableError("away")).count(http::field::retry_after), 0U);
}

TEST(Problem, EveryCodeHasItsStatus) {
  const auto status = [](absl::StatusCode code) { return Problem(absl::Status(code, "x")).result_int(); };
  EXPECT_EQ(status(absl::StatusCode::kPermissionDenied), 403U);
  EXPECT_EQ(status(absl::StatusCode::kFailedPrecondition), 400U);
  EXPECT_EQ(status(absl::StatusCode::kResourceExhausted), 429U);
  EXPECT_EQ(status(absl::StatusCode::kUnimplemented), 501U);
  EXPECT_EQ(status(absl::StatusCode::kUnavailable), 503U);
  EXPECT_EQ(status(absl::StatusCode::kDeadlineExceeded), 504U);
  EXPECT_EQ(status(absl::StatusCode::kInternal), 500U);
}

}  // namespace
}  // namespace viewcount
