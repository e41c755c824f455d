// Many readers of /v1/sites/demo/live on this machine, each with a few articles; they remember the last count of each.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/truth.h"

namespace viewcount {

// One thread calls it; a thread of its own reads. Ends all connections when it is destroyed.
class LiveReaders {
 public:
  struct Options {
    // HOST:PORT of HTTP, HOST a number.
    std::string server;
    int readers = 0;
    // Of each reader: the first one has articles 0, 1, 2, …, the second goes on from there, and so on, around.
    int articles_each = 0;
  };
  // `truth` says which articles there are, and must outlive it.
  LiveReaders(Options options, const Truth& truth);
  ~LiveReaders();
  LiveReaders(const LiveReaders&) = delete;
  LiveReaders& operator=(const LiveReaders&) = delete;

  // Connects all of them and begins to read; false when the service refuses one.
  bool Open();
  // Readers whose connection still is one and that were told of their articles at least once.
  int told() const { return told_; }
  // Readers whose connection ended.
  int ended() const { return ended_; }
  // Events of all readers, heartbeats left out.
  uint64_t events() const { return events_; }
  uint64_t bytes() const { return bytes_; }
  // Readers whose last counts are all what was acknowledged.
  int Right() const;

 private:
  struct Reader {
    int fd = -1;
    bool told = false;
    std::string unfinished;
    // In the order of its articles.
    std::vector<std::atomic<uint64_t>> counts;
  };

  int ArticleOf(int reader, int place) const { return (reader * options_.articles_each + place) % truth_.articles(); }
  bool Connect(int number);
  void Run();
  void Read(int number);
  void Take(int number, std::string_view event);

  const Options options_;
  const Truth& truth_;
  std::vector<Reader> readers_;
  int epoll_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<int> told_{0};
  std::atomic<int> ended_{0};
  std::atomic<uint64_t> events_{0};
  std::atomic<uint64_t> bytes_{0};
  std::thread thread_;
};

}  // namespace viewcount
