#include "service/model/cursor.h"

#include <gtest/gtest.h>

namespace viewcount {
namespace {

TEST(Cursor, TextRoundTrips) {
  for (const Cursor& cursor :
       {Cursor(), Cursor::End(Position{7}), Cursor::Middle(Position{7}, Position{9}, {"demo", "news/1"}, Position{9}),
        Cursor::Middle(Position{7}, Position{9}, {"demo", "a b / c 12"}, Position{11})}) {
    EXPECT_EQ(Cursor::Parse(cursor.ToString()), cursor) << cursor.ToString();
  }
  EXPECT_EQ(Cursor::End(Position{7}).ToString(), "END 7");
  EXPECT_EQ(Cursor::Middle(Position{7}, Position{9}, {"demo", "a b"}, Position{9}).ToString(), "MID 7 9 demo/a b 9");
}

TEST(Cursor, OtherTextIsNone) {
  for (const char* text : {"", "END", "END ", "END x", "END 7 8", "MID", "MID 1 2", "MID 1 2 demo/a", "MID 1 2 demo 3",
                           "MID x 2 demo/a 3", "MID 1 2 demo/a x", "BEGIN 1"}) {
    EXPECT_FALSE(Cursor::Parse(text)) << text;
  }
}

TEST(Cursor, EndCoversWholeChunksUpToIt) {
  const Cursor cursor = Cursor::End(Position{200});
  EXPECT_TRUE(cursor.Covers(Position{200}, {"demo", "z"}));
  EXPECT_FALSE(cursor.Covers(Position{201}, {"demo", "a"}));
}

TEST(Cursor, MiddleCoversItsChunkUpToTheLastArticle) {
  const Cursor cursor = Cursor::Middle(Position{100}, Position{200}, {"demo", "m"}, Position{200});
  EXPECT_TRUE(cursor.Covers(Position{100}, {"demo", "z"}));
  EXPECT_TRUE(cursor.Covers(Position{200}, {"demo", "m"}));
  EXPECT_TRUE(cursor.Covers(Position{200}, {"a-site-before", "z"}));
  EXPECT_FALSE(cursor.Covers(Position{200}, {"demo", "n"}));
  EXPECT_FALSE(cursor.Covers(Position{300}, {"demo", "a"}));
}

TEST(Cursor, OrderIsByProgress) {
  const Cursor in_order[] = {Cursor(),
                             Cursor::End(Position{100}),
                             Cursor::Middle(Position{100}, Position{200}, {"demo", "a"}, Position{200}),
                             Cursor::Middle(Position{100}, Position{200}, {"demo", "b"}, Position{200}),
                             Cursor::End(Position{200}),
                             Cursor::Middle(Position{200}, Position{300}, {"demo", "a"}, Position{300})};
  for (size_t i = 0; i + 1 < std::size(in_order); ++i) EXPECT_LT(in_order[i], in_order[i + 1]) << i;
}

}  // namespace
}  // namespace viewcount
