#include "bench/load/pump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace viewcount::bench {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const TimePoint kStart{std::chrono::hours(1)};

Period PeriodOf(milliseconds length) { return {.start = kStart, .measured_from = kStart, .end = kStart + length}; }

// Records each request's slot, and its due time in milliseconds after the start.
using Sent = std::vector<std::pair<size_t, int64_t>>;

Pump::Send Into(Sent& sent) {
  return [&sent](size_t slot, TimePoint due) {
    sent.emplace_back(slot, std::chrono::duration_cast<milliseconds>(due - kStart).count());
  };
}

TEST(Pump, RequestsAreDueOnSchedule) {
  Sent sent;
  Pump pump(PeriodOf(milliseconds(100)), 100, 8, Into(sent));
  EXPECT_EQ(pump.Advance(kStart), kStart + milliseconds(10));
  EXPECT_THAT(sent, ElementsAre(std::pair(0, 0)));
  pump.Advance(kStart + milliseconds(35));
  EXPECT_THAT(sent, ElementsAre(std::pair(0, 0), std::pair(1, 10), std::pair(2, 20), std::pair(3, 30)));
}

TEST(Pump, RequestWithoutSlotWaitsAndIsDueAsBefore) {
  Sent sent;
  Pump pump(PeriodOf(milliseconds(100)), 100, 1, Into(sent));
  pump.Advance(kStart + milliseconds(35));
  EXPECT_THAT(sent, ElementsAre(std::pair(0, 0)));
  pump.Release(0, kStart + milliseconds(50));
  pump.Release(0, kStart + milliseconds(60));
  EXPECT_THAT(sent, ElementsAre(std::pair(0, 0), std::pair(0, 10), std::pair(0, 20)));
}

TEST(Pump, WithoutRateEverySlotIsBusyUntilTheEnd) {
  Sent sent;
  Pump pump(PeriodOf(milliseconds(100)), 0, 2, Into(sent));
  pump.Advance(kStart);
  pump.Release(1, kStart + milliseconds(7));
  EXPECT_THAT(sent, ElementsAre(std::pair(0, 0), std::pair(1, 0), std::pair(1, 7)));
  pump.Release(1, kStart + milliseconds(100));
  EXPECT_FALSE(pump.Finished(kStart + milliseconds(100)));
  pump.Release(0, kStart + milliseconds(101));
  EXPECT_TRUE(pump.Finished(kStart + milliseconds(101)));
  EXPECT_EQ(sent.size(), 3U);
}

TEST(Pump, WhatWasNeverSentIsTold) {
  Sent sent;
  const Period period = PeriodOf(milliseconds(100));
  Pump pump(period, 100, 1, Into(sent));
  pump.Advance(kStart + milliseconds(95));
  pump.Release(0, kStart + milliseconds(200));
  Tally tally(period, 0);
  pump.ReportUnsent(tally);
  EXPECT_EQ(tally.unsent(), 9U);
  EXPECT_EQ(tally.latency().max(), milliseconds(90));
}

}  // namespace
}  // namespace viewcount::bench
