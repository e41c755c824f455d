#include "service/base/csv.h"

#include <gtest/gtest.h>

namespace viewcount {
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
  EXPECT_EQ(CsvCell("\t=1"), "'\t'=1");
  EXPECT_EQ(CsvCell("\tx"), "'\tx");
  EXPECT_EQ(CsvCell("\nx"), "\"'\nx\"");
  EXPECT_EQ(CsvCell(" =1"), "' =1");
  for (const char* text : {"＝1", "＋1", "－1", "＠x"}) EXPECT_EQ(CsvCell(text), std::string("'") + text);
  EXPECT_EQ(CsvCell("a=1"), "a=1");
}

// Vietnamese and German spreadsheets split at semicolons.
TEST(CsvCell, NoPartIsAFormulaWhereTheFileIsSplitElsewhere) {
  EXPECT_EQ(CsvCell("/x;=1+1"), "/x;'=1+1");
  EXPECT_EQ(CsvCell("/x;a;-1;"), "/x;a;'-1;");
  EXPECT_EQ(CsvCell(";+1;＝1"), ";'+1;'＝1");
  EXPECT_EQ(CsvCell("/x; =1"), "/x;' =1");
  EXPECT_EQ(CsvCell("/x;\"=1\""), "\"/x;'\"\"=1\"\"\"");
  EXPECT_EQ(CsvCell("a\t@x"), "a\t'@x");
  EXPECT_EQ(CsvCell("a\n=1"), "\"a\n'=1\"");
  EXPECT_EQ(CsvCell("a\r=1"), "\"a\r'=1\"");
}

TEST(CsvCell, OrdinaryTextStaysAsItIs) {
  for (const char* text : {"/tin;jsessionid=7?a=b+c", "Mưa; nắng", "A - B; C - D", "an@example.org; 1+1=2", ";", ";;",
                           "Hà Nội – Huế; “–” là gạch", "１＋１＝２"}) {
    EXPECT_EQ(CsvCell(text), text);
  }
}

// Returns what CsvText reads of the cell that CsvCell writes. None of these texts needs quotes.
std::string ReadAgain(const std::string& text) { return CsvText(CsvCell(text)); }

TEST(CsvText, IsTheOppositeOfCells) {
  for (const char* text : {"/tin/1", "", "=cmd()", "+1", " =1", "＝1", "/x;=1+1", ";+1;＝1", "/x; =1", "a\t@x", "'",
                           "''a", "it's", "'a=1", "a;'b"}) {
    EXPECT_EQ(ReadAgain(text), text);
  }
}

TEST(CsvText, AnApostropheOfItsOwnBeforeAFormulaIsLost) { EXPECT_EQ(ReadAgain("'=1"), "=1"); }

}  // namespace
}  // namespace viewcount
