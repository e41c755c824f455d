#include "service/base/shared_reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <vector>

#include "tests/support/manual_clock.h"

namespace viewcount {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;
using Reads = SharedReads<std::string, int>;

class SharedReadsTest : public ::testing::Test {
 protected:
  // Begins a request. Its result is added to `results_` when it is there.
  void Ask(const std::string& key) {
    asio::co_spawn(
        io_,
        [this, key]() -> asio::awaitable<void> {
          const std::function<asio::awaitable<Reads::Result>()> read = [this]() -> asio::awaitable<Reads::Result> {
            const int number = ++begun_;
            most_ = std::max(most_, ++running_);
            while (gate_closed_) co_await gate_.Wait();
            --running_;
            if (fails_) co_return absl::UnavailableError("away");
            co_return number;
          };
          results_.push_back(co_await reads_.Read(key, read));
        },
        asio::detached);
    io_.poll();
    io_.restart();
  }
  void OpenGate() {
    gate_closed_ = false;
    gate_.NotifyAll();
    io_.poll();
    io_.restart();
  }
  std::vector<int> Numbers() const {
    std::vector<int> numbers;
    for (const auto& result : results_) numbers.push_back(result.value_or(-1));
    return numbers;
  }

  asio::io_context io_;
  ManualClock clock_;
  AsyncEvent gate_{io_.get_executor()};
  Reads reads_{clock_, {.age_max = std::chrono::seconds(5), .kept_max = 8, .running_max = 2, .waiting_max = 1}};
  std::vector<Reads::Result> results_;
  bool gate_closed_ = false;
  bool fails_ = false;
  int begun_ = 0;
  int running_ = 0;
  int most_ = 0;
};

TEST_F(SharedReadsTest, AResultIsUsedUntilItIsTooOld) {
  Ask("a");
  Ask("a");
  clock_.Advance(std::chrono::seconds(5));
  Ask("a");
  clock_.Advance(std::chrono::milliseconds(1));
  Ask("a");
  EXPECT_THAT(Numbers(), ElementsAre(1, 1, 1, 2));
}

TEST_F(SharedReadsTest, RequestsForTheSameThingShareARead) {
  gate_closed_ = true;
  Ask("a");
  Ask("a");
  OpenGate();
  EXPECT_THAT(Numbers(), ElementsAre(1, 1));
}

TEST_F(SharedReadsTest, FewReadAtTheSameTimeAndFewWait) {
  gate_closed_ = true;
  for (const char* key : {"a", "b", "c", "d"}) Ask(key);
  // The fourth is refused at once.
  ASSERT_EQ(results_.size(), 1u);
  EXPECT_TRUE(absl::IsResourceExhausted(results_[0].status()));
  EXPECT_TRUE(RetryDelayOf(results_[0].status()).has_value());
  OpenGate();
  EXPECT_THAT(Numbers(), ElementsAre(-1, 1, 2, 3));
  EXPECT_EQ(most_, 2);
}

TEST_F(SharedReadsTest, ErrorsAreNotKept) {
  fails_ = true;
  Ask("a");
  fails_ = false;
  Ask("a");
  EXPECT_THAT(Numbers(), ElementsAre(-1, 2));
}

}  // namespace
}  // namespace viewcount
