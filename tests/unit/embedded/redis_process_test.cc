#include "service/store/embedded/redis_process.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>

#include "service/base/clock.h"
#include "service/base/unique_fd.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {
namespace {

using std::chrono::steady_clock;

constexpr int kNoWake = -1;

SteadyTime InTenSeconds() { return steady_clock::now() + std::chrono::seconds(10); }

class RedisProcessTest : public testing::Test {
 protected:
  RedisProcess::Command Shell(const std::string& script) const {
    return {.program = "/bin/sh",
            .arguments = {"-c", script},
            .output_path = directory_.path() + "/output",
            .inherited_fd = kept_.get()};
  }
  std::string Output() const {
    std::ostringstream output;
    output << std::ifstream(directory_.path() + "/output").rdbuf();
    return output.str();
  }

  TemporaryDirectory directory_;
  UniqueFd kept_ = OpenAboveStandard("/dev/zero", O_RDONLY);
};

TEST_F(RedisProcessTest, ExitStatusAndSignalAreTold) {
  auto exiting = RedisProcess::Start(Shell("exit 3"));
  ASSERT_TRUE(exiting.ok());
  EXPECT_EQ(exiting->Wait(kNoWake, InTenSeconds()), "exited with status 3");
  auto killed = RedisProcess::Start(Shell("kill -9 $$"));
  ASSERT_TRUE(killed.ok());
  EXPECT_EQ(killed->Wait(kNoWake, InTenSeconds()), "was killed by signal 9 (Killed)");
}

TEST_F(RedisProcessTest, MissingProgramSaysSoInItsOutput) {
  auto command = Shell("");
  command.program = "/nowhere/redis-server";
  auto process = RedisProcess::Start(command);
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(process->Wait(kNoWake, InTenSeconds()), "exited with status 127");
  EXPECT_EQ(Output(), "cannot execute redis-server\n");
}

TEST_F(RedisProcessTest, OnlyTheChosenDescriptorIsInherited) {
  // The descriptor is opened without close-on-exec, as a careless library opens one.
  const UniqueFd leaked(open("/dev/full", O_WRONLY));
  ASSERT_TRUE(leaked.valid());
  auto process = RedisProcess::Start(Shell("for fd in /proc/$$/fd/*; do readlink $fd; done; true"));
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(process->Wait(kNoWake, InTenSeconds()), "exited with status 0");
  EXPECT_NE(Output().find("/dev/null\n"), std::string::npos) << Output();
  EXPECT_NE(Output().find("/dev/zero\n"), std::string::npos) << Output();
  EXPECT_EQ(Output().find("/dev/full\n"), std::string::npos) << Output();
}

TEST_F(RedisProcessTest, BlockedAndIgnoredSignalsAreNotInherited) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  signal(SIGINT, SIG_IGN);
  auto process = RedisProcess::Start(Shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(process->Wait(kNoWake, InTenSeconds()), "exited with status 0");
  EXPECT_EQ(Output(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(RedisProcessTest, LeadsItsOwnSession) {
  auto process = RedisProcess::Start(Shell("exec sleep 60"));
  ASSERT_TRUE(process.ok());
  EXPECT_TRUE(Eventually([&] { return getsid(process->pid()) == process->pid(); }));
  process->Signal(SIGKILL);
  EXPECT_TRUE(process->Wait(kNoWake, InTenSeconds()).has_value());
}

TEST_F(RedisProcessTest, WaitEndsWhenWoken) {
  auto process = RedisProcess::Start(Shell("exec sleep 60"));
  ASSERT_TRUE(process.ok());
  const UniqueFd wake(eventfd(1, EFD_CLOEXEC));
  EXPECT_EQ(process->Wait(wake.get(), SteadyTime::max()), std::nullopt);
  process->Signal(SIGKILL);
  EXPECT_TRUE(process->Wait(kNoWake, InTenSeconds()).has_value());
}

}  // namespace
}  // namespace viewcount
