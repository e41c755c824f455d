// Tests actions of operators. They start a copy of the data directory next to the original. They import a log, restore
// an old Redis, and import the log again after it has grown.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "service/base/limits.h"
#include "tests/fault/burst.h"
#include "tests/fault/fault_fixture.h"

namespace viewcount {
namespace {

using std::chrono::seconds;
namespace fs = std::filesystem;

constexpr int kExitFenced = 4;

class CopyTest : public FaultTest {};

TEST_F(CopyTest, OneOfACopyAndItsOriginalEnds) {
  StartService();
  SendViews(50'000);
  RequireFlushed();
  service_->Kill();
  ServiceProcess::Options options = ServiceOptions();
  options.data_dir = folder_.path() + "/copy";
  fs::copy(service_->data_dir(), options.data_dir, fs::copy_options::recursive);
  ServiceProcess copy(options);
  service_->Start();
  copy.Start();
  const auto one_has_ended = [&] { return service_->HasEnded() || copy.HasEnded(); };
  EXPECT_TRUE(Eventually(one_has_ended, seconds(40))) << "both run";
  const bool original_ended = service_->HasEnded();
  EXPECT_EQ((original_ended ? *service_ : copy).WaitForEnd(seconds(0)), kExitFenced) << service_->Log() << "--- copy\n"
                                                                                     << copy.Log();
  ServiceProcess& survivor = original_ended ? copy : *service_;
  RequireReady(survivor);
  // The survivor counts new views, and counts the views in both directories once.
  EXPECT_EQ(SendBurst({.server = survivor.server(), .batches = 10, .at_once = 2, .seed = seed_}, truth_).unacknowledged,
            0u);
  EXPECT_TRUE(FlushAll(survivor.NewChannel()));
  EXPECT_TRUE(SameEverywhere(survivor.NewChannel(), redis_, truth_));
}

class ImportTest : public FaultTest {
 protected:
  static constexpr int kNewLines = 100;

  void SetUp() override {
    FaultTest::SetUp();
    std::ifstream log(MADE_LOG_DIR "/access.log", std::ios::binary);
    std::ifstream kinds(MADE_LOG_DIR "/expected.lines.tsv");
    std::vector<std::string> lines;
    for (std::string line; std::getline(log, line);) lines.push_back(line + "\n");
    for (std::string number, kind; kinds >> number >> kind;) pages_.push_back(kind == "page");
    Require(lines.size() == pages_.size() && lines.size() > kNewLines, "no made-up log in " MADE_LOG_DIR);
    std::ofstream whole(path("whole.log"), std::ios::binary);
    std::ofstream first(path("access.log"), std::ios::binary);
    for (size_t i = 0; i < lines.size(); ++i) {
      whole << lines[i];
      if (i + kNewLines < lines.size()) first << lines[i];
    }
    StartService();
  }

  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  int Pages(size_t from, size_t to) const {
    return static_cast<int>(std::count(pages_.begin() + from, pages_.begin() + to, true));
  }

  // Imports the log in its present state. Returns the number of views that the command reports, by people and by bots.
  int Import() {
    const std::string report = path("report");
    fs::remove(report);
    ChildProcess import;
    import.Start({VIEWCOUNT, "--server", service_->server(), "--site", "demo", "--json", "import", "access-log",
                  path("access.log")},
                 report);
    const auto code = import.Stop(0, seconds(60));
    std::ifstream file(report);
    std::ostringstream text;
    text << file.rdbuf();
    Require(code == 0, "the import failed: " + text.str());
    return Number(text.str(), "\"views\": ") + Number(text.str(), "\"botViews\": ");
  }
  static int Number(const std::string& report, const std::string& name) {
    const size_t found = report.find(name);
    Require(found != std::string::npos, "the report has no " + name + report);
    return std::atoi(report.c_str() + found + name.size());
  }

  // Returns the counts of all articles in Redis, of people and bots together.
  std::map<std::string, int> Stored() {
    std::map<std::string, int> stored;
    for (uint32_t shard = 0; shard < limits::kShards; ++shard) {
      for (const char* hash : {"all", "bots"}) {
        char key[32];
        std::snprintf(key, sizeof(key), "vc:{%02u}:demo:%s", shard, hash);
        const std::vector<std::string> fields = redis_.List({"HGETALL", key});
        for (size_t i = 0; i + 1 < fields.size(); i += 2) {
          if (!fields[i].empty()) stored[fields[i]] += std::stoi(fields[i + 1]);
        }
      }
    }
    return stored;
  }
  static std::map<std::string, int> Expected() {
    std::map<std::string, int> expected;
    std::ifstream file(MADE_LOG_DIR "/expected.tsv");
    for (std::string line; std::getline(file, line);) {
      const size_t tab = line.find('\t');
      expected[line.substr(0, tab)] = std::atoi(line.c_str() + tab);
    }
    return expected;
  }

  std::vector<bool> pages_;
};

TEST_F(ImportTest, AGrownLogCountsOnlyItsNewLinesAfterARestartAndARollback) {
  redis_.WaitUntilWritten();
  append_only_file_.Save(path("old"));
  const size_t first = pages_.size() - kNewLines;
  EXPECT_EQ(Import(), Pages(0, first));
  RequireFlushed();
  service_->Kill();
  StartService();
  EXPECT_EQ(Import(), 0) << "after the restart";

  redis_.Kill();
  append_only_file_.Restore(path("old"));
  redis_.Start();
  fs::rename(path("whole.log"), path("access.log"));
  EXPECT_EQ(Import(), Pages(first, pages_.size())) << "after the rollback";
  RequireFlushed();
  EXPECT_EQ(Stored(), Expected());
  EXPECT_EQ(Import(), 0) << "at last";
}

}  // namespace
}  // namespace viewcount
