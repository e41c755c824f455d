#include "tests/simulation/settings.h"

namespace viewcount::simulation {
namespace {

// Returns 0 in half of the worlds, otherwise up to `high`.
uint32_t Sometimes(Random& random, uint32_t high) {
  return random.Half() ? 0 : static_cast<uint32_t>(random.Between(1, high));
}

NetworkFaults DrawNetwork(Random& random) {
  NetworkFaults faults;
  if (random.Below(4) == 0) return faults;
  faults.lose = Sometimes(random, 20'000);
  faults.late = Sometimes(random, 20'000);
  faults.lose_answer = Sometimes(random, 20'000);
  faults.out_of_memory = Sometimes(random, 10'000);
  faults.hang = Sometimes(random, 60'000);
  return faults;
}

Settings::Weights DrawWeights(Random& random) {
  Settings::Weights weights;
  weights.send = static_cast<uint32_t>(random.Between(30, 150));
  weights.send_again = static_cast<uint32_t>(random.Between(1, 40));
  weights.step_lane = static_cast<uint32_t>(random.Between(20, 120));
  weights.flush = static_cast<uint32_t>(random.Between(5, 60));
  weights.go_on = static_cast<uint32_t>(random.Between(10, 80));
  weights.maintain = static_cast<uint32_t>(random.Between(2, 40));
  weights.kill = Sometimes(random, 6);
  weights.power_loss = Sometimes(random, 6);
  weights.crash_at_change = Sometimes(random, 10);
  weights.roll_back = Sometimes(random, 14);
  weights.restart_store = Sometimes(random, 5);
  weights.empty_store = random.Below(4) == 0 ? Sometimes(random, 3) : 0;
  weights.disconnect = Sometimes(random, 5);
  weights.fill_disk = Sometimes(random, 6);
  weights.fail_sync = Sometimes(random, 4);
  weights.change_zone = Sometimes(random, 10);
  weights.set_wall_clock = Sometimes(random, 3);
  weights.flip_bit = Sometimes(random, 4);
  weights.copy_folder = random.Below(4) == 0 ? Sometimes(random, 3) : 0;
  // See "Known gap" in README.md: two copies may both go on because the store lost a claim.
  if (weights.copy_folder > 0) weights.roll_back = weights.empty_store = 0;
  weights.restore_image = random.Below(4) == 0 ? Sometimes(random, 3) : 0;
  weights.take_image = weights.restore_image == 0 ? 0 : 5;
  return weights;
}

// A store that goes back again and again while parts are on their way to it, with few other faults. This is the case
// for which cursors are compared for equality.
void DrawUnsteadyStore(Random& random, Settings& settings) {
  settings.machines = 1;
  settings.nodes = static_cast<uint32_t>(random.Between(1, 2));
  settings.shards = random.Half() ? 5 : 64;
  settings.articles = 60;
  settings.events = 350;
  settings.network = {};
  settings.network.hang = static_cast<uint32_t>(random.Between(20'000, 100'000));
  Settings::Weights& weights = settings.weights;
  weights = {};
  weights.flush = 60;
  weights.go_on = 150;
  weights.pass_time = 5;
  weights.roll_back = static_cast<uint32_t>(random.Between(5, 20));
}

}  // namespace

Settings Settings::Draw(Random& random) {
  constexpr std::chrono::milliseconds kRetentions[] = {std::chrono::milliseconds(0), std::chrono::milliseconds(1),
                                                       std::chrono::seconds(30), std::chrono::minutes(10)};
  constexpr uint32_t kShards[] = {1, 2, 5, 64};
  Settings settings;
  settings.machines = 1 + static_cast<uint32_t>(random.Below(6) / 3 + random.Below(4) / 3);
  settings.lanes_per_machine = random.Below(4) == 0 ? 2 : 1;
  settings.sites = static_cast<uint32_t>(random.Between(1, 3));
  settings.articles = static_cast<uint32_t>(random.Between(4, 60));
  settings.shards = kShards[random.Below(4)];
  settings.nodes = static_cast<uint32_t>(random.Between(1, 4));
  settings.writers = static_cast<uint32_t>(random.Between(1, 5));
  settings.events = static_cast<uint32_t>(random.Between(60, 350));
  settings.batch_views_max = static_cast<uint32_t>(random.Between(1, 8));
  settings.segment_bytes = random.Half() ? 2'048 : 8'192;
  settings.segments_max = random.Between(4, 24);
  settings.retention = kRetentions[random.Below(4)];
  settings.part_articles_max = random.Below(4) == 0 ? 512 : random.Between(1, 3);
  settings.network = DrawNetwork(random);
  settings.weights = DrawWeights(random);
  if (random.Below(6) == 0) DrawUnsteadyStore(random, settings);
  // These settings are not drawn, so that other worlds stay as they were.
  if ((settings.articles + settings.events) % 3 == 0) {
    settings.network.refuse = 20'000;
    settings.network.tear = 40'000;
  }
  settings.viewers = (settings.articles + settings.events) % 5 == 1;
  settings.cool_down = (settings.articles + settings.events) % 5 == 2;
  settings.late_starts = (settings.articles + 7 * settings.events) % 4 == 1;
  if (settings.late_starts && settings.articles % 3 == 0 && settings.weights.copy_folder == 0) {
    // Older copies of journals grow before they meet the store.
    settings.weights.take_image = 6;
    settings.weights.restore_image = 6;
    settings.weights.flush = 60;
    settings.weights.kill = 12;
    settings.weights.start = 60;
  }
  // Visits and cool-downs do not move with their viewers (docs/decisions/change-of-the-number-of-lanes.md).
  settings.lanes_change = (3 * settings.articles + settings.events) % 5 == 3 && !settings.viewers &&
                          !settings.cool_down && settings.weights.copy_folder == 0 &&
                          settings.weights.restore_image == 0;
  if (settings.lanes_change) {
    settings.lanes_per_machine = 3;
    // Surplus lanes are removed when journals need not be kept any longer. A store that goes back farther than that
    // loses views without a report. So a world has either removals or rollbacks.
    if (settings.articles % 3 == 0) {
      settings.retention = std::chrono::hours(24);
    } else {
      settings.weights.roll_back = settings.weights.empty_store = 0;
      if (settings.articles % 3 == 1) settings.retention = std::chrono::milliseconds(0);
    }
    settings.weights.kill += 6;
    settings.weights.crash_at_change += 6;
    settings.weights.start = 60;
  }
  return settings;
}

}  // namespace viewcount::simulation
