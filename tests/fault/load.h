// Views from several writers of the client library, for as long as a fault test needs them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/cpp/writer.h"
#include "tests/fault/truth.h"

namespace viewcount {

// Numbers from 0 below `articles`, small ones more often: 1/n as Zipf has it, up to rounding. One thread.
class ZipfArticles {
 public:
  ZipfArticles(int articles, uint64_t seed);
  int Draw();

 private:
  uint64_t state_;
  // Drawn from in equal parts; shared by all of as many articles.
  std::shared_ptr<const std::vector<int>> table_;
};

// Each writer records a round, waits until all of it is acknowledged, notes that in the truth, and begins the next.
// The writers retry until the load is stopped. Functions from one thread; `truth` must outlive it.
class Load {
 public:
  struct Options {
    // HOST:PORT.
    std::string server;
    int writers = 4;
    // Of all writers together.
    uint64_t views_per_second = 50'000;
    uint64_t seed = 1;
  };
  // Of all writers together.
  struct Outcome {
    // Views recorded and not acknowledged when patience ended; views that a writer gave up.
    uint64_t unacknowledged = 0;
    uint64_t retries = 0;
    uint64_t duplicates = 0;
    // Writers that had to begin anew because the service did not know them any more.
    uint64_t new_identities = 0;
    std::string ToString() const;
  };

  // Begins.
  Load(Options options, Truth& truth);
  // Stops without patience.
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // No new rounds; waits for those that are under way. A second call returns the first one's outcome.
  Outcome Stop(std::chrono::milliseconds patience);

 private:
  void Write(client::Writer& writer, uint64_t seed);
  // False when patience ended.
  bool Deliver(client::Writer& writer);

  const Options options_;
  Truth& truth_;
  std::atomic<bool> stopping_{false};
  // Set before `stopping_`.
  std::chrono::steady_clock::time_point give_up_;
  std::vector<std::unique_ptr<client::Writer>> writers_;
  std::vector<std::thread> threads_;
  Outcome outcome_;
};

}  // namespace viewcount
