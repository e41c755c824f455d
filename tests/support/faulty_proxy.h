// A bad line between a client and a server on a UNIX socket, which may also come to lead to another server: it cuts
// connections, delays and slices what passes, and swallows answers, so that nobody knows what became of a command.
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

  // Listens on the UNIX socket `path`, and connects to the one at `server` for every connection.
  FaultyProxy(std::string path, std::string server, uint64_t seed);
  // Listens on a port of 127.0.0.1 instead.
  FaultyProxy(std::string server, uint64_t seed);
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  // The value for --redis. `credentials` are none or `USER:PASSWORD`, which only a port's URL takes.
  std::string url(const std::string& credentials = "") const;
  // Where connections lead from now on. Those that there are stay with the server that they have, as with a proxy or a
  // name whose address changes.
  void SetServer(std::string server);

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

  FaultyProxy(uint16_t port, std::string server, uint64_t seed);
  FaultyProxy(int listener, std::string path, uint16_t port, std::string server, uint64_t seed);
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

  // Either a path or a port.
  const std::string path_;
  const uint16_t port_;
  const int listener_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> swallow_all_{false};

  mutable std::mutex mutex_;
  std::string server_;
  Faults faults_;
  Counts counts_;

  // Of the thread.
  std::mt19937_64 random_;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace viewcount
