// Sends views from several writers of the client library, for as long as a fault test needs them.
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

// Draws numbers from 0 to `articles` − 1. Small numbers are more frequent: by Zipf's law, the n-th has a share of about
// 1/n. Not thread-safe.
class ZipfArticles {
 public:
  ZipfArticles(int articles, uint64_t seed);
  int Draw();

 private:
  uint64_t state_;
  // A number is drawn from its entries with equal probability. Shared by all objects with the same number of articles.
  std::shared_ptr<const std::vector<int>> table_;
};

// Each writer records a round, waits until all of it is acknowledged, records that in the truth, and begins the next
// round. The writers retry until the load is stopped. All functions must be called by one thread. `truth` must outlive
// this object.
class Load {
 public:
  struct Options {
    // HOST:PORT.
    std::string server;
    int writers = 4;
    // The rate of all writers together.
    uint64_t views_per_second = 50'000;
    uint64_t seed = 1;
  };
  // The results of all writers together.
  struct Outcome {
    // Views that were not acknowledged when the patience ended, and views that a writer gave up.
    uint64_t unacknowledged = 0;
    uint64_t retries = 0;
    uint64_t duplicates = 0;
    // How often a writer had to begin again under a new identity, because the service did not know it any more.
    uint64_t new_identities = 0;
    std::string ToString() const;
  };

  // Begins to send.
  Load(Options options, Truth& truth);
  // Stops with a patience of 0.
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Begins no new rounds, and waits up to `patience` for the current ones. A second call returns the first one's
  // outcome.
  Outcome Stop(std::chrono::milliseconds patience);

 private:
  void Write(client::Writer& writer, uint64_t seed);
  // Returns false when the patience ended.
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
