#include "bench/load/http_answer.h"

#include <gtest/gtest.h>

namespace viewcount::bench {
namespace {

using State = HttpAnswer::State;

TEST(HttpAnswer, EndsWithItsBody) {
  const std::string_view text = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1";
  const HttpAnswer answer = ReadHttpAnswer(text);
  EXPECT_EQ(answer.state, State::kComplete);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.bytes, text.size() - 8);
  EXPECT_FALSE(answer.closes);
}

TEST(HttpAnswer, EveryBeginningIsIncomplete) {
  const std::string_view text = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(ReadHttpAnswer(text.substr(0, size)).state, State::kIncomplete) << size;
  const HttpAnswer answer = ReadHttpAnswer(text);
  EXPECT_EQ(answer.state, State::kComplete);
  EXPECT_EQ(answer.status, 429);
  EXPECT_TRUE(answer.closes);
}

TEST(HttpAnswer, WithoutContentNeedsNoLength) {
  EXPECT_EQ(ReadHttpAnswer("HTTP/1.1 204 No Content\r\n\r\n").state, State::kComplete);
  EXPECT_EQ(ReadHttpAnswer("HTTP/1.1 200 OK\r\n\r\n").state, State::kUnreadable);
}

TEST(HttpAnswer, OtherThingsAreUnreadable) {
  for (const std::string_view text :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.\r\n\r\n", "HTTP/1.1 200 OK\r\nbad\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"})
    EXPECT_EQ(ReadHttpAnswer(text).state, State::kUnreadable) << text;
}

TEST(HttpAnswer, EmptyValuesAreFine) {
  EXPECT_EQ(ReadHttpAnswer("HTTP/1.1 200 OK\r\nX:\r\nContent-Length:0\r\n\r\n").state, State::kComplete);
}

}  // namespace
}  // namespace viewcount::bench
