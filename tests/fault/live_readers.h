// Many readers of /v1/sites/demo/live on this machine. Each one reads a few articles and remembers the last count of
// each.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/truth.h"

namespace viewcount {

// Called by one thread; a second thread, which it owns, reads. The destructor closes all connections.
class LiveReaders {
 public:
  struct Options {
    // HOST:PORT of HTTP. HOST must be a numeric address.
    std::string server;
    int readers = 0;
    // The number of articles of each reader. The first reader has articles 0, 1, 2, …; the next one continues from
    // there. After the last article the numbers start again at 0.
    int articles_each = 0;
  };
  // `truth` knows the articles, and must outlive this object.
  LiveReaders(Options options, const Truth& truth);
  ~LiveReaders();
  LiveReaders(const LiveReaders&) = delete;
  LiveReaders& operator=(const LiveReaders&) = delete;

  // Connects all readers and begins to read. Returns false if the service refuses a connection.
  bool Open();
  // The number of readers that are connected and have received the counts of their articles at least once.
  int told() const { return told_; }
  // The number of readers whose connection ended.
  int ended() const { return ended_; }
  // The number of events of all readers, without heartbeats.
  uint64_t events() const { return events_; }
  uint64_t bytes() const { return bytes_; }
  // Returns the number of readers whose last counts all equal the acknowledged views.
  int Right() const;

 private:
  struct Reader {
    int fd = -1;
    bool told = false;
    std::string unfinished;
    // In the order of the reader's articles.
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
