// What outlives a process: its disk and its clocks.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "tests/simulation/crashing_disk.h"
#include "tests/simulation/virtual_clock.h"
#include "tests/support/memory_disk.h"

namespace viewcount::simulation {

// The files of a machine's lanes and their contents.
using Image = std::map<std::string, std::string>;

// One thread.
struct Machine {
  Machine(const std::chrono::milliseconds& true_time, Random& random) : clock(true_time), disk(stored, random) {}

  static std::string LaneFolder(size_t lane) { return "/data/lanes/" + std::to_string(lane); }

  // As a copy of the running machine's files has it.
  Image TakeImage(size_t lanes);
  // Puts the image in place of everything that is there.
  void PutImage(const Image& image, size_t lanes);

  VirtualClock clock;
  MemoryDisk stored;
  // How the process sees it.
  CrashingDisk disk;
};

}  // namespace viewcount::simulation
