// A bad line between a client and a server on UNIX sockets: it cuts connections, delays and slices what passes, and
// swallows answers, so that nobody knows what became of a command.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace viewcount {

// Passes everything on until told otherwise. Thread safe. Removes its socket at the end.
class FaultyProxy {
 public:
  // How likely each is to happen to what one read from a socket brings, 0 to 1; all chosen by the seed.
  struct Faults {
    double cut = 0;
    // Up to `delay_max`.
    double delay = 0;
    std::chrono::milliseconds delay_max{100};
    // The first bytes go one by one.
    double slice = 0;
    // Only of answers: it and all later ones are thrown away, and after up to `silence_max` the connection is cut.
    double swallow = 0;
    std::chrono::milliseconds silence_max{500};
  };
  // How often each happened.
  struct Counts {
    int connections = 0;
    int cuts = 0;
    int delays = 0;
    int slices = 0;
    int swallows = 0;
  };

  // Listens on `path`, and connects to `server` for every connection.
  FaultyProxy(std::string path, std::string server, uint64_t seed);
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  // What --redis takes.
  std::string url() const { return "redis+unix://" + path_; }

  void SetFaults(const Faults& faults);
  // From now on no answer passes on any connection, while commands do. When it ends, connections that missed an answer
  // are cut.
  void SwallowAnswers(bool swallow) { swallow_all_ = swallow; }
  Counts counts() const;

 private:
  using Time = std::chrono::steady_clock::time_point;

  // Bytes on their way, no sooner than `due`.
  struct Piece {
    Time due;
    std::string bytes;
  };
  // One direction.
  struct Pipe {
    int from = -1;
    int to = -1;
    bool answers = false;
    std::deque<Piece> pieces;
  };
  struct Connection {
    Pipe commands;
    Pipe answers;
    bool swallowing = false;
    bool missed = false;
    Time cut_at = Time::max();
    bool broken = false;
  };

  void Run();
  void Accept();
  void PollOnce();
  // What one read brings.
  void Receive(Connection& connection, Pipe& pipe);
  // Decides what becomes of it.
  void Pass(Connection& connection, Pipe& pipe, std::string bytes);
  void Deliver(Connection& connection, Pipe& pipe, Time now);
  void DropBroken(Time now);
  bool Happens(double likely);
  std::chrono::milliseconds Pause(std::chrono::milliseconds most);

  const std::string path_;
  const std::string server_;
  int listener_ = -1;
  std::atomic<bool> stop_{false};
  std::atomic<bool> swallow_all_{false};

  mutable std::mutex mutex_;
  Faults faults_;
  Counts counts_;

  // Of the thread.
  std::mt19937_64 random_;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace viewcount
