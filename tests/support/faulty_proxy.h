// A bad network between a client and a server on a UNIX socket; the server can be exchanged. It cuts connections,
// delays and slices the bytes that pass, and swallows answers. A client that misses an answer does not know whether its
// command was carried out.
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

// Passes all bytes on until faults are set. Removes its socket in the destructor. Thread-safe.
class FaultyProxy {
 public:
  // The probability of each fault for the bytes of one read from a socket, from 0 to 1. The seed determines all random
  // choices.
  struct Faults {
    double cut = 0;
    // Delays the bytes by up to `delay_max`.
    double delay = 0;
    std::chrono::milliseconds delay_max{100};
    // Sends the first bytes one by one.
    double slice = 0;
    // For answers only: this answer and all later ones are discarded. The connection is cut after up to `silence_max`.
    double swallow = 0;
    std::chrono::milliseconds silence_max{500};
  };
  // The number of times that each fault happened.
  struct Counts {
    int connections = 0;
    int cuts = 0;
    int delays = 0;
    int slices = 0;
    int swallows = 0;
  };

  // Listens on the UNIX socket `path`. Every accepted connection leads to the UNIX socket `server`.
  FaultyProxy(std::string path, std::string server, uint64_t seed);
  // Listens on a free port of 127.0.0.1 instead.
  FaultyProxy(std::string server, uint64_t seed);
  ~FaultyProxy();
  FaultyProxy(const FaultyProxy&) = delete;
  FaultyProxy& operator=(const FaultyProxy&) = delete;

  // Returns the value for --redis. `credentials` are empty or `USER:PASSWORD`. Only the URL of a port supports
  // credentials.
  std::string url(const std::string& credentials = "") const;
  // Sets the server for new connections. Existing connections stay with their server, like those of a proxy or of a
  // name whose address changes.
  void SetServer(std::string server);

  void SetFaults(const Faults& faults);
  // If `swallow` is true, no answer passes on any connection from now on, but commands do. When swallowing ends,
  // connections that missed an answer are cut.
  void SwallowAnswers(bool swallow) { swallow_all_ = swallow; }
  Counts counts() const;

 private:
  using Time = std::chrono::steady_clock::time_point;

  // Bytes that are forwarded no sooner than `due`.
  struct Piece {
    Time due;
    std::string bytes;
  };
  // One direction of a connection.
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
  // Reads once from the pipe's source.
  void Receive(Connection& connection, Pipe& pipe);
  // Applies the random faults to the bytes that were read, and queues the rest.
  void Pass(Connection& connection, Pipe& pipe, std::string bytes);
  void Deliver(Connection& connection, Pipe& pipe, Time now);
  void DropBroken(Time now);
  bool Happens(double likely);
  std::chrono::milliseconds Pause(std::chrono::milliseconds most);

  // Exactly one of the path and the port is set.
  const std::string path_;
  const uint16_t port_;
  const int listener_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> swallow_all_{false};

  mutable std::mutex mutex_;
  std::string server_;
  Faults faults_;
  Counts counts_;

  // Used by the proxy's thread only.
  std::mt19937_64 random_;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace viewcount
