// Redis crashes and its append-only file is cut in the middle of a transaction. Soon afterwards it crashes again.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/eventually.h"
#include "tests/support/lane_pipeline.h"
#include "tests/support/windows.h"

namespace viewcount {
namespace {

namespace fs = std::filesystem;

class AppendOnlySealTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(pipeline_.Open().ok()); }

  // Adds views of "x" to a shard and moves its cursor from one position to the next.
  void Add(Shard shard, Cursor from, Cursor to, int64_t views) {
    Part part{.shard = shard, .lane = lane_.id, .incarnation = lane_.incarnation, .expected = from, .next = to};
    part.hashes.push_back({.site = "demo", .window = kAll, .deltas = {{"x", views}}});
    part.hashes.push_back({.site = "demo", .window = kDay, .deltas = {{"x", views}}});
    const auto result = pipeline_.Await(store().Apply(part));
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_TRUE(result->applied);
  }
  void Claim(Shard shard) { ASSERT_TRUE(pipeline_.Await(store().Claim(shard, lane_)).ok()); }

  // Cuts the append-only file in the middle of the last command before EXEC.
  void TearLastTransaction() {
    fs::path last;
    for (const auto& entry : fs::directory_iterator(redis_.folder() + "/appendonlydir")) {
      const std::string name = entry.path().string();
      if (name.ends_with(".incr.aof") && (last.empty() || name > last.string())) last = entry.path();
    }
    std::ifstream file(last, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    const size_t end = bytes.rfind("*1\r\n$4\r\nEXEC");
    ASSERT_NE(end, std::string::npos) << last;
    fs::resize_file(last, end - 4);
  }
  void Restart() {
    redis_.Start();
    const uint64_t before = store().generation();
    ASSERT_TRUE(Eventually([&] { return store().problem().empty() && store().generation() > before; }) ||
                store().problem().empty());
  }

  // Returns the views of "x" in both windows, and the cursor.
  std::string StateOf(Shard shard) {
    const auto counts = pipeline_.Await(store().ReadCounts(shard, {lane_.id}, "demo", {kAll, kDay}, {"x"}));
    if (!counts.ok()) return std::string(counts.status().message());
    return std::to_string(counts->counts[0][0]) + " " + std::to_string(counts->counts[1][0]) + " " +
           counts->lanes[0]->cursor.ToString();
  }
  RedisStore& store() { return pipeline_.store(); }

  RedisProcess redis_{{"--appendonly", "yes", "--appendfsync", "always"}};
  LanePipeline pipeline_{redis_};
  const LaneIdentity lane_{.id = RandomId<LaneId>(), .incarnation = RandomId<Incarnation>()};
};

TEST_F(AppendOnlySealTest, ATornTransactionIsNeverCarriedOutInPart) {
  const Shard torn{3};
  const Shard other{4};
  Claim(torn);
  Claim(other);
  Add(torn, Cursor::End(Position{0}), Cursor::End(Position{10}), 5);
  Add(torn, Cursor::End(Position{10}), Cursor::End(Position{20}), 7);
  redis_.WaitUntilWritten();
  redis_.Kill();
  ASSERT_NO_FATAL_FAILURE(TearLastTransaction());
  ASSERT_NO_FATAL_FAILURE(Restart());
  ASSERT_EQ(StateOf(torn), "5 5 END 10");
  // This is the next transaction in the file. Without the seal, Redis would execute the rest of the torn transaction
  // with it at the next start.
  ASSERT_NO_FATAL_FAILURE(Claim(other));
  ASSERT_NO_FATAL_FAILURE(Add(other, Cursor::End(Position{0}), Cursor::End(Position{10}), 1));
  redis_.WaitUntilWritten();
  redis_.Kill();
  ASSERT_NO_FATAL_FAILURE(Restart());
  EXPECT_EQ(StateOf(torn), "5 5 END 10");
  EXPECT_EQ(StateOf(other), "1 1 END 10");
}

TEST_F(AppendOnlySealTest, IsDoneOnceForEachStartOfRedis) {
  const auto run = [&] {
    const std::string info = redis_.Command({"INFO", "server"});
    const size_t at = info.find("run_id:");
    return info.substr(at + 7, 40);
  };
  EXPECT_EQ(redis_.Command({"HGET", "vc:meta", "sealed_run"}), run());
  redis_.Kill();
  ASSERT_NO_FATAL_FAILURE(Restart());
  EXPECT_EQ(redis_.Command({"HGET", "vc:meta", "sealed_run"}), run());
}

}  // namespace
}  // namespace viewcount
