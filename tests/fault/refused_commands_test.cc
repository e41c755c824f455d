// Tests viewcountd with a Redis user that has only the rights it needs, or fewer.
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "service/store/redis/permissions.h"
#include "tests/fault/fault_fixture.h"

namespace viewcount {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr int kExitCannotStart = 1;

// Returns a port on loopback that no process uses.
std::string FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(descriptor);
  if (!bound) throw std::runtime_error("no free port on loopback");
  return std::to_string(ntohs(address.sin_port));
}

class RefusedCommandsTest : public FaultTest {
 protected:
  void SetUp() override {
    // Users have passwords, and a URL contains a password only for TCP.
    const std::string port = FreePort();
    ASSERT_EQ(redis_.Command({"CONFIG", "SET", "bind", "127.0.0.1", "port", port}), "OK");
    std::istringstream words(LeastUser("viewcount", "secret"));
    std::vector<std::string> command = {"ACL", "SETUSER"};
    std::string word;
    words >> word;
    while (words >> word) command.push_back(word);
    ASSERT_EQ(redis_.Command(command), "OK");
    ServiceProcess::Options options = ServiceOptions();
    options.redis = "redis://viewcount:secret@127.0.0.1:" + port;
    service_ = std::make_unique<ServiceProcess>(options);
  }
  void Allow(std::vector<std::string> rules) {
    rules.insert(rules.begin(), {"ACL", "SETUSER", "viewcount"});
    ASSERT_EQ(redis_.Command(rules), "OK");
  }
  // Runs the command-line client and returns its exit code. Its output is stored in `output_`.
  std::optional<int> Run(std::vector<std::string> words) {
    words.insert(words.begin(), {VIEWCOUNT, "--server", service_->server(), "--site", "demo"});
    const std::string path = folder_.path() + "/output";
    ChildProcess client;
    client.Start(words, path);
    const auto code = client.Stop(0, seconds(60));
    std::ifstream file(path);
    output_.assign(std::istreambuf_iterator<char>(file), {});
    return code;
  }
  void ExpectRefused(const std::string& why) {
    service_->Start();
    EXPECT_EQ(service_->WaitForEnd(seconds(20)), kExitCannotStart);
    EXPECT_THAT(service_->Log(), HasSubstr(why));
    EXPECT_EQ(redis_.Command({"DBSIZE"}), "0");
  }

  std::string output_;
};

TEST_F(RefusedCommandsTest, TheLeastUserIsEnough) {
  StartService();
  SendViews(30'000);
  ExpectExact();
  EXPECT_EQ(service_->Stop(), 0);
  StartService();
  SendViews(30'000);
  ExpectExact();
  EXPECT_THAT(service_->Log(), ::testing::Not(HasSubstr("NOPERM")));
  EXPECT_EQ(redis_.Command({"KEYS", "vc:{preflight}*"}), "");
}

TEST_F(RefusedCommandsTest, AUserWhoMayTooLittleIsRefusedAtTheStart) {
  Allow({"-expire", "-object"});
  ExpectRefused("ACL SETUSER viewcount +expire +object|encoding");
}

TEST_F(RefusedCommandsTest, AUserWithoutTheKeysIsRefusedAtTheStart) {
  Allow({"resetkeys"});
  ExpectRefused("ACL SETUSER viewcount ~vc:*");
}

TEST_F(RefusedCommandsTest, ARenamedCommandIsRefusedAtTheStart) {
  redis_.Kill();
  redis_.Start({"--rename-command", "EXPIRE", ""});
  service_ = std::make_unique<ServiceProcess>(ServiceOptions());
  ExpectRefused("does not know these commands, which viewcountd needs: expire");
}

TEST_F(RefusedCommandsTest, RightsTakenAwayUnderLoadCountNothingTwice) {
  StartService();
  auto load = StartLoad(20'000);
  AwaitViews(20'000);
  for (const std::string command : {"expire", "object|encoding", "zadd", "zrange", "zremrangebyrank", "hlen", "hset"}) {
    Allow({"-" + command});
    // Enough time for several attempts to apply the same parts.
    AwaitViews(20'000);
    Allow({"+" + command});
  }
  StopLoad(*load);
  ExpectExact();
  EXPECT_THAT(service_->Log(), HasSubstr("nothing was written"));
}

// Proves that a difference left by versions before the undo log is repaired: views in Redis that the journal does not
// have.
TEST_F(RefusedCommandsTest, ADifferenceOfAnOlderVersionIsRepaired) {
  StartService();
  SendViews(5'000);
  RequireFlushed();
  const std::string totals = "vc:{07}:totals";
  std::string views;
  for (const std::string& field : redis_.List({"HKEYS", totals})) {
    if (field.ends_with(":views")) views = field;
  }
  ASSERT_FALSE(views.empty());
  redis_.Command({"HINCRBY", totals, views, "1600"});
  redis_.Command({"HINCRBY", "vc:{07}:demo:all", "", "1600"});
  redis_.Command({"HINCRBY", "vc:{07}:demo:all", "inflated", "1600"});
  redis_.Command({"ZADD", "vc:{07}:demo:top:all", "-1", "nobody"});
  EXPECT_EQ(Run({"audit"}), 1) << output_;
  EXPECT_EQ(Run({"audit", "--repair", "--why", "counted again and again"}), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("REPAIRED: shard 07"));
  EXPECT_EQ(Run({"audit"}), 0) << output_;
  EXPECT_EQ(redis_.Command({"HGET", "vc:{07}:demo:all", "inflated"}), "1600");
  EXPECT_EQ(Run({"adjustments"}), 0);
  EXPECT_THAT(output_, HasSubstr("counted again and again"));
  SendViews(5'000);
  RequireFlushed();
  EXPECT_EQ(Run({"audit"}), 0) << output_;
}

}  // namespace
}  // namespace viewcount
