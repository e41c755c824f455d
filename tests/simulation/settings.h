// The settings of a world: how large it is, which faults occur in it and how often.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "tests/simulation/network.h"
#include "tests/simulation/random.h"

namespace viewcount::simulation {

// Drawn once per run. Many faults are off in any one world, so some worlds go far with few faults and others make
// little progress. A plain value.
struct Settings {
  uint32_t machines = 1;
  uint32_t lanes_per_machine = 1;
  // Every start of a process draws its number of lanes, from 1 to lanes_per_machine.
  bool lanes_change = false;
  uint32_t sites = 1;
  uint32_t articles = 20;
  // The number of shards that have articles.
  uint32_t shards = 3;
  uint32_t nodes = 1;
  uint32_t writers = 2;
  uint32_t events = 200;
  uint32_t batch_views_max = 4;
  // Every second view has a viewer who was not seen before. Such a view begins a visit if it is a person's.
  bool viewers = false;
  // Instead most views have viewers, some of whom view the same article again and again. The sites have a cool-down
  // that outlasts the run.
  bool cool_down = false;
  // Half of the processes start while the store is away. They take views and meet the store after a while.
  bool late_starts = false;

  uint64_t segment_bytes = 4'096;
  uint64_t segments_max = 8;
  std::chrono::milliseconds retention{0};
  size_t part_articles_max = 2;

  NetworkFaults network;

  // The probability of each event, relative to the others.
  struct Weights {
    uint32_t send = 100;
    uint32_t send_again = 20;
    uint32_t step_lane = 80;
    uint32_t flush = 40;
    uint32_t go_on = 60;
    uint32_t deliver_late = 10;
    uint32_t maintain = 20;
    uint32_t pass_time = 30;
    uint32_t read = 20;
    uint32_t kill = 0;
    uint32_t power_loss = 0;
    uint32_t crash_at_change = 0;
    uint32_t start = 20;
    uint32_t roll_back = 0;
    uint32_t restart_store = 0;
    uint32_t empty_store = 0;
    uint32_t disconnect = 0;
    uint32_t fill_disk = 0;
    uint32_t fail_sync = 0;
    uint32_t change_zone = 0;
    uint32_t set_wall_clock = 0;
    uint32_t flip_bit = 0;
    uint32_t copy_folder = 0;
    uint32_t take_image = 0;
    uint32_t restore_image = 0;
  } weights;

  // Draws the settings of a world.
  static Settings Draw(Random& random);
};

}  // namespace viewcount::simulation
