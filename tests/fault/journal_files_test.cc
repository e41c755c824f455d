// Tests journals in the state in which crashes and failing disks leave them. A torn end is cut off; any other damage
// prevents the start until it is repaired.
#include "tests/fault/journal_files.h"

#include <cstdio>
#include <filesystem>
#include <random>
#include <regex>

#include "tests/fault/burst.h"
#include "tests/fault/fault_fixture.h"

namespace viewcount {
namespace {

using std::chrono::seconds;

class JournalFilesTest : public FaultTest {
 protected:
  // Creates views that are in Redis, then views that only the journal holds. The service still runs, and Redis is held.
  void FillAndKill() {
    StartService();
    SendViews(50'000);
    RequireFlushed();
    HoldRedis();
    unflushed_from_ = EndOfData(Journal());
    SendViews(50'000);
  }
  void KillService() {
    service_->Kill();
    ReleaseRedis();
  }

  std::string Journal() const {
    const std::string path = NewestJournalFile(service_->data_dir());
    Require(!path.empty(), "there is no journal in " + service_->data_dir() + "/lanes/0");
    return path;
  }

  // Returns a position inside the record that begins at about `begin`. It lies after the possible end of the previous
  // record and before any later record.
  uint64_t WithinRecord(uint64_t begin) {
    return std::uniform_int_distribution<uint64_t>(begin + 8, begin + 40)(random_);
  }

  // Adds a last record of one view to the journal. The truth does not contain the view, because the test will tear the
  // record. Returns the record's approximate position.
  uint64_t AddLastRecord() {
    const uint64_t before = EndOfData(Journal());
    Truth not_counted(1);
    const BurstOutcome sent = SendBurst(
        {.server = service_->server(), .batches = 1, .at_once = 1, .views_per_batch = 1, .seed = seed_}, not_counted);
    Require(sent.batches == 1, "the last view was not acknowledged: " + sent.last_error);
    return before;
  }

  void ExpectStartThatSaysSo() {
    const size_t logged = service_->Log().size();
    StartService();
    const std::string log = service_->Log().substr(logged);
    EXPECT_TRUE(std::regex_search(log, std::regex("torn|cut off", std::regex::icase))) << log;
    ExpectExact();
    // The journal must be intact now.
    SendViews(10'000);
    service_->Kill();
    StartService();
    ExpectExact();
  }

  std::mt19937_64 random_{seed_};
  uint64_t unflushed_from_ = 0;
};

TEST_F(JournalFilesTest, AKilledServiceStartsWithEverything) {
  FillAndKill();
  KillService();
  StartService();
  ExpectExact();
}

TEST_F(JournalFilesTest, ATruncatedLastRecordIsCutOff) {
  FillAndKill();
  const uint64_t before = AddLastRecord();
  KillService();
  std::filesystem::resize_file(Journal(), WithinRecord(before));
  ExpectStartThatSaysSo();
}

TEST_F(JournalFilesTest, ALastRecordThatEndsInZerosIsCutOff) {
  FillAndKill();
  const uint64_t before = AddLastRecord();
  KillService();
  const uint64_t end = EndOfData(Journal());
  const uint64_t from = WithinRecord(before);
  Overwrite(Journal(), from, std::string(end - from, '\0'));
  ExpectStartThatSaysSo();
}

TEST_F(JournalFilesTest, GarbageBehindTheEndIsCutOff) {
  FillAndKill();
  KillService();
  std::string garbage(std::uniform_int_distribution<size_t>(1, 100'000)(random_), '\0');
  for (char& byte : garbage) byte = static_cast<char>(random_());
  // Not directly after the end, because the data may itself end in zeros.
  Overwrite(Journal(), EndOfData(Journal()) + 16, garbage);
  ExpectStartThatSaysSo();
}

TEST_F(JournalFilesTest, AFlippedBitStopsTheStartUntilItIsRepaired) {
  FillAndKill();
  KillService();
  const std::string journal = Journal();
  const uint64_t end = EndOfData(journal);
  const uint64_t offset = std::uniform_int_distribution<uint64_t>(
      unflushed_from_ + (end - unflushed_from_) / 4, unflushed_from_ + (end - unflushed_from_) / 2)(random_);
  FlipBit(journal, offset, static_cast<int>(random_() % 8));
  std::printf("flipped a bit at %llu of %llu\n", static_cast<unsigned long long>(offset),
              static_cast<unsigned long long>(end));

  const size_t logged = service_->Log().size();
  service_->Start();
  const std::optional<int> code = service_->WaitForEnd(seconds(30));
  const std::string log = service_->Log().substr(logged);
  ASSERT_EQ(code, 1) << log;
  EXPECT_NE(log.find(journal), std::string::npos) << log;
  EXPECT_TRUE(std::regex_search(log, std::regex("offset [0-9]+|(byte|position) [0-9]+"))) << log;
  std::smatch command;
  ASSERT_TRUE(std::regex_search(log, command, std::regex("viewcount journal repair ([^\\s;,`\"]+)"))) << log;

  ChildProcess repair;
  repair.Start({VIEWCOUNT, "journal", "repair", command[1]}, folder_.path() + "/repair");
  EXPECT_EQ(repair.Stop(0, seconds(60)), 0);
  StartService();
  RequireFlushed();
  // Only views of the broken record are lost, and no view is counted twice.
  const Difference difference = CompareStored(redis_, truth_);
  std::printf("after the repair: %s\n", difference.ToString().c_str());
  EXPECT_EQ(difference.doubled, 0u);
  EXPECT_GT(difference.lost, 0u);
  EXPECT_LT(difference.lost, 5'000u);
}

}  // namespace
}  // namespace viewcount
