// A machine: the disk and the clocks, which outlive a process.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "service/lane/lane_directory.h"
#include "tests/simulation/crashing_disk.h"
#include "tests/support/manual_clock.h"
#include "tests/support/memory_disk.h"

namespace viewcount::simulation {

// The files of a machine's lanes, by path.
using Image = std::map<std::string, std::string>;

// The disk and the clocks of one machine. Not thread-safe.
struct Machine {
  // The clocks begin at the true time `unix_ms`.
  Machine(int64_t unix_ms, Random& random) : clock(unix_ms), disk(stored, random) {}

  static constexpr char kDataFolder[] = "/data";
  static std::string LaneFolder(size_t lane) { return LanePath(kDataFolder, static_cast<uint32_t>(lane)); }

  // Returns what a copy of the running machine's files would contain.
  Image TakeImage(size_t lanes);
  // Replaces all files with those of the image.
  void PutImage(const Image& image, size_t lanes);

  ManualClock clock;
  MemoryDisk stored;
  // The disk as the process sees it.
  CrashingDisk disk;
};

}  // namespace viewcount::simulation
