#include "client/cli/output.h"

#include <gtest/gtest.h>

#include "service/base/status.h"

namespace viewcount::cli {
namespace {

TEST(Output, TablesAlignByCharactersNotBytes) {
  Table table({{"VIEWS", Align::kRight}, {"ARTICLE"}, {"ZONE"}});
  table.Add({"1,234", "/tin/Số", "UTC"});
  table.Add({"7", "/a", ""});
  EXPECT_EQ(table.Text(),
            "VIEWS  ARTICLE  ZONE\n"
            "1,234  /tin/Số  UTC\n"
            "    7  /a\n");
}

TEST(Output, NothingFromOutsideDrivesTheTerminal) {
  EXPECT_EQ(OneLine("a\x1b[2J\nb\r\x7F"), "a?[2J?b??");
  EXPECT_EQ(OneLine("a\xC2\x9B"
                    "31m\xC2\xA0"),
            "a?31m\xC2\xA0");
  EXPECT_EQ(OneLine("\xFF\xC2"), "??");
  EXPECT_EQ(OneLine("Số"), "Số");
}

TEST(Output, ExitCodesTellARefusalFromAnAbsence) {
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("connection refused")), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(absl::DeadlineExceededError("late")), ExitCode::kUnreachable);
  // The service answers, and reports that its store is unavailable.
  EXPECT_EQ(ExitCodeOf(RetryLater(absl::StatusCode::kUnavailable, "store away", std::chrono::seconds(1))),
            ExitCode::kFailed);
  EXPECT_EQ(ExitCodeOf(UnknownSite("x")), ExitCode::kFailed);
}

TEST(Output, AnotherMessageKeepsCodeAndDetails) {
  const auto status = WithMessage(UnknownSite("x"), "other words");
  EXPECT_EQ(status.message(), "other words");
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(ReasonOf(status), "UNKNOWN_SITE");
}

}  // namespace
}  // namespace viewcount::cli
