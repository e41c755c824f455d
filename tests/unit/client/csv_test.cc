#include "client/cli/csv.h"

#include <gtest/gtest.h>

namespace viewcount::cli {
namespace {

TEST(CsvCell, QuotesWhatWouldEndACell) {
  EXPECT_EQ(CsvCell("/tin/1"), "/tin/1");
  EXPECT_EQ(CsvCell(""), "");
  EXPECT_EQ(CsvCell("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvCell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(CsvCell("số 1"), "số 1");
}

TEST(CsvCell, NoCellIsAFormula) {
  EXPECT_EQ(CsvCell("=cmd()"), "'=cmd()");
  EXPECT_EQ(CsvCell("+1"), "'+1");
  EXPECT_EQ(CsvCell("-1"), "'-1");
  EXPECT_EQ(CsvCell("@SUM(A1,A2)"), "\"'@SUM(A1,A2)\"");
  EXPECT_EQ(CsvCell("\t=1"), "'\t=1");
  EXPECT_EQ(CsvCell("a=1"), "a=1");
}

TEST(JsonText, EscapesWhatJsonRequires) {
  EXPECT_EQ(JsonText("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(JsonText("số"), "\"số\"");
}

}  // namespace
}  // namespace viewcount::cli
