#include "service/store/embedded/embedded_redis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/eventually.h"
#include "tests/support/temporary_directory.h"

namespace viewcount {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;

// Returns the first line of the server's answer to an inline command, or "" if the server does not answer.
std::string AskOnce(const EmbeddedRedis& redis, const std::string& command) {
  const UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = redis.socket_path();
  if (path.size() >= sizeof(address.sun_path)) return "";
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return "";
  const std::string line = command + "\r\n";
  if (send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) return "";
  char answer[4096];
  const ssize_t size = recv(fd.get(), answer, sizeof(answer), 0);
  return size > 0 ? std::string(answer, static_cast<size_t>(size)) : "";
}

// Like AskOnce(), but waits until the server has loaded its data.
std::string Ask(const EmbeddedRedis& redis, const std::string& command) {
  std::string answer;
  Eventually([&] {
    answer = AskOnce(redis, command);
    return !answer.starts_with("-LOADING");
  });
  return answer;
}

bool Exists(pid_t pid) { return kill(pid, 0) == 0; }

EmbeddedRedis::Options In(const std::string& directory) { return {.data_dir = directory}; }

SteadyTime Soon() { return steady_clock::now() + std::chrono::seconds(10); }

TEST(EmbeddedRedis, AnswersOnAPrivateSocketAndKeepsAnAppendOnlyFile) {
  TemporaryDirectory directory;
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ((*redis)->socket_path(), directory.path() + "/redis/redis.sock");
  EXPECT_EQ(Ask(**redis, "PING"), "+PONG\r\n");
  EXPECT_THAT(Ask(**redis, "CONFIG GET port"), HasSubstr("\r\n0\r\n"));
  EXPECT_THAT(Ask(**redis, "CONFIG GET appendonly"), HasSubstr("\r\nyes\r\n"));
  EXPECT_THAT(Ask(**redis, "CONFIG GET appendfsync"), HasSubstr("\r\neverysec\r\n"));
  EXPECT_THAT(Ask(**redis, "CONFIG GET maxmemory-policy"), HasSubstr("\r\nnoeviction\r\n"));
  EXPECT_THAT(Ask(**redis, "CONFIG GET save"), HasSubstr("\r\n$0\r\n"));
  struct stat folder;
  ASSERT_EQ(stat((directory.path() + "/redis").c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0700u);
}

TEST(EmbeddedRedis, AppendFsyncCanBeChosen) {
  TemporaryDirectory directory;
  auto redis = EmbeddedRedis::Start({.data_dir = directory.path(), .append_fsync = "always"}, {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_THAT(Ask(**redis, "CONFIG GET appendfsync"), HasSubstr("\r\nalways\r\n"));
}

TEST(EmbeddedRedis, KilledServerComesBackWithItsDataEveryTime) {
  TemporaryDirectory directory;
  std::atomic<int> restarts = 0;
  auto redis = EmbeddedRedis::Start(In(directory.path()), [&] { ++restarts; });
  ASSERT_TRUE(redis.ok()) << redis.status();
  ASSERT_EQ(Ask(**redis, "SET key 3933"), "+OK\r\n");
  for (int death = 1; death <= 3; ++death) {
    const pid_t pid = (*redis)->pid();
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    ASSERT_TRUE(Eventually([&] { return Ask(**redis, "GET key") == "$4\r\n3933\r\n"; })) << death;
    EXPECT_NE((*redis)->pid(), pid);
    EXPECT_TRUE(Eventually([&] { return restarts == death; }));
  }
}

TEST(EmbeddedRedis, StopEndsTheServerCleanlyAndTheNextStartHasTheData) {
  TemporaryDirectory directory;
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  ASSERT_EQ(Ask(**redis, "SET key value"), "+OK\r\n");
  const pid_t pid = (*redis)->pid();
  (*redis)->Stop(Soon());
  EXPECT_FALSE(Exists(pid));
  EXPECT_EQ((*redis)->pid(), 0);
  std::ostringstream log;
  log << std::ifstream(directory.path() + "/redis/redis.log").rdbuf();
  EXPECT_THAT(log.str(), HasSubstr("ready to exit, bye bye"));

  redis->reset();
  redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(Ask(**redis, "GET key"), "$5\r\nvalue\r\n");
}

// Leaves only a snapshot in `directory`, in which `key` is 3933.
void PutDump(const std::string& directory) {
  {
    auto redis = EmbeddedRedis::Start(In(directory), {});
    ASSERT_TRUE(redis.ok()) << redis.status();
    ASSERT_EQ(Ask(**redis, "SET key 3933"), "+OK\r\n");
    ASSERT_EQ(Ask(**redis, "SAVE"), "+OK\r\n");
  }
  std::filesystem::remove_all(directory + "/redis/appendonlydir");
  ASSERT_TRUE(std::filesystem::exists(directory + "/redis/dump.rdb"));
}

TEST(EmbeddedRedis, RestoredSnapshotIsLoadedOnce) {
  TemporaryDirectory directory;
  PutDump(directory.path());
  {
    auto redis = EmbeddedRedis::Start(In(directory.path()), {});
    ASSERT_TRUE(redis.ok()) << redis.status();
    ASSERT_EQ(Ask(**redis, "GET key"), "$4\r\n3933\r\n");
    ASSERT_EQ(Ask(**redis, "SET key 4000"), "+OK\r\n");
  }
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(Ask(**redis, "GET key"), "$4\r\n4000\r\n");
}

TEST(EmbeddedRedis, RestoredSnapshotBesideAnEmptyDataSetIsRefused) {
  TemporaryDirectory directory;
  PutDump(directory.path());
  const std::string dump = directory.path() + "/redis/dump.rdb";
  std::filesystem::rename(dump, directory.path() + "/kept");
  ASSERT_TRUE(EmbeddedRedis::Start(In(directory.path()), {}).ok());
  std::filesystem::rename(directory.path() + "/kept", dump);
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(absl::IsFailedPrecondition(redis.status())) << redis.status();
  EXPECT_THAT(std::string(redis.status().message()), AllOf(HasSubstr(dump), HasSubstr("remove")));
  std::filesystem::remove_all(directory.path() + "/redis/appendonlydir");
  redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(Ask(**redis, "GET key"), "$4\r\n3933\r\n");
}

// Returns when a file last changed, in nanoseconds.
int64_t ChangedAt(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec;
}

// An operator restores a snapshot while the service is down, and forgets the data that is there.
TEST(EmbeddedRedis, RestoredSnapshotBesideOtherDataIsRefused) {
  TemporaryDirectory directory;
  TemporaryDirectory backup;
  PutDump(backup.path());
  const std::string dump = directory.path() + "/redis/dump.rdb";
  {
    auto redis = EmbeddedRedis::Start(In(directory.path()), {});
    ASSERT_TRUE(redis.ok()) << redis.status();
    ASSERT_EQ(Ask(**redis, "SET key 17"), "+OK\r\n");
  }
  std::filesystem::copy_file(backup.path() + "/redis/dump.rdb", dump);
  // The content is old. The time of the change is that of now, in the steps of a few milliseconds that files have.
  while (ChangedAt(dump) <= ChangedAt(directory.path() + "/redis/redis.log")) {
    std::filesystem::last_write_time(dump, std::filesystem::file_time_type::clock::now() - std::chrono::hours(24));
  }
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(absl::IsFailedPrecondition(redis.status())) << redis.status();
  EXPECT_THAT(std::string(redis.status().message()), AllOf(HasSubstr(dump), HasSubstr("remove")));
  std::filesystem::rename(dump, directory.path() + "/kept");
  {
    redis = EmbeddedRedis::Start(In(directory.path()), {});
    ASSERT_TRUE(redis.ok()) << redis.status();
    EXPECT_EQ(Ask(**redis, "GET key"), "$2\r\n17\r\n");
    redis = absl::CancelledError();
  }
  std::filesystem::rename(directory.path() + "/kept", dump);
  std::filesystem::remove_all(directory.path() + "/redis/appendonlydir");
  redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(Ask(**redis, "GET key"), "$4\r\n3933\r\n");
}

TEST(EmbeddedRedis, SnapshotOfItsOwnRefusesNoStart) {
  TemporaryDirectory directory;
  {
    auto redis = EmbeddedRedis::Start(In(directory.path()), {});
    ASSERT_TRUE(redis.ok()) << redis.status();
    ASSERT_EQ(Ask(**redis, "SAVE"), "+OK\r\n");
    ASSERT_EQ(Ask(**redis, "SET key 17"), "+OK\r\n");
    kill((*redis)->pid(), SIGKILL);
  }
  for (int start = 0; start < 2; ++start) {
    auto redis = EmbeddedRedis::Start(In(directory.path()), {});
    ASSERT_TRUE(redis.ok()) << redis.status();
    EXPECT_EQ(Ask(**redis, "GET key"), "$2\r\n17\r\n");
  }
}

TEST(EmbeddedRedis, BrokenSnapshotIsRefusedUntilAGoodOneIsThere) {
  TemporaryDirectory directory;
  PutDump(directory.path());
  const std::string dump = directory.path() + "/redis/dump.rdb";
  std::filesystem::copy_file(dump, directory.path() + "/kept");
  std::filesystem::resize_file(dump, std::filesystem::file_size(dump) / 2);
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_FALSE(redis.ok());
  std::filesystem::copy_file(directory.path() + "/kept", dump, std::filesystem::copy_options::overwrite_existing);
  redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(Ask(**redis, "GET key"), "$4\r\n3933\r\n");
}

TEST(EmbeddedRedis, DataWithoutItsManifestIsRefused) {
  TemporaryDirectory directory;
  ASSERT_TRUE(EmbeddedRedis::Start(In(directory.path()), {}).ok());
  std::filesystem::remove(directory.path() + "/redis/appendonlydir/appendonly.aof.manifest");
  const auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(absl::IsFailedPrecondition(redis.status())) << redis.status();
  EXPECT_THAT(std::string(redis.status().message()), HasSubstr("appendonly.aof.manifest"));
}

TEST(EmbeddedRedis, ServerThatDoesNotEndInTimeIsKilled) {
  TemporaryDirectory directory;
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  const pid_t pid = (*redis)->pid();
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  (*redis)->Stop(steady_clock::now() + milliseconds(50));
  EXPECT_FALSE(Exists(pid));
}

// A child process takes the part of viewcountd and is killed with SIGKILL, as by `kill -9`.
TEST(EmbeddedRedis, KilledParentTakesTheServerWithIt) {
  TemporaryDirectory directory;
  int channel[2];
  ASSERT_EQ(pipe2(channel, O_CLOEXEC), 0);
  const UniqueFd read_end(channel[0]);
  UniqueFd write_end(channel[1]);
  // Makes this process the parent of the orphaned redis-server, so that it can wait for the server's end.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    auto redis = EmbeddedRedis::Start(In(directory.path()), {});
    const pid_t server = redis.ok() ? (*redis)->pid() : 0;
    if (write(write_end.get(), &server, sizeof(server)) < 0) _exit(1);
    for (;;) pause();
  }
  write_end = UniqueFd();
  pid_t server = 0;
  ASSERT_EQ(read(read_end.get(), &server, sizeof(server)), static_cast<ssize_t>(sizeof(server)));
  ASSERT_GT(server, 0);
  ASSERT_EQ(kill(parent, SIGKILL), 0);
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  int status = 0;
  EXPECT_TRUE(Eventually([&] { return waitpid(server, &status, WNOHANG) == server; }));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  auto next = EmbeddedRedis::Start(In(directory.path()), {});
  EXPECT_TRUE(next.ok()) << next.status();
}

TEST(EmbeddedRedis, SecondServerOnTheSameDirectoryIsRefused) {
  TemporaryDirectory directory;
  auto first = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(first.ok()) << first.status();
  auto second = EmbeddedRedis::Start({.data_dir = directory.path(), .lock_wait = milliseconds(50)}, {});
  ASSERT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.status().message()),
              AllOf(HasSubstr(directory.path() + "/redis/LOCK"), HasSubstr(std::to_string((*first)->pid())),
                    HasSubstr("--data-dir")));
  EXPECT_EQ(Ask(**first, "PING"), "+PONG\r\n");
}

TEST(EmbeddedRedis, StartWaitsForAServerThatIsStillEnding) {
  TemporaryDirectory directory;
  auto first = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto end = steady_clock::now() + milliseconds(100);
  std::thread stopper([&] {
    std::this_thread::sleep_until(end);
    first->reset();
  });
  auto second = EmbeddedRedis::Start(In(directory.path()), {});
  EXPECT_TRUE(second.ok()) << second.status();
  EXPECT_GE(steady_clock::now(), end);
  stopper.join();
}

TEST(EmbeddedRedis, PathTooLongForASocketAddressStillWorks) {
  TemporaryDirectory directory;
  const std::string deep = directory.path() + "/" + std::string(100, 'a') + "/" + std::string(100, 'b');
  std::atomic<int> restarts = 0;
  auto redis = EmbeddedRedis::Start(In(deep), [&] { ++restarts; });
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_LT((*redis)->socket_path().size(), sizeof(sockaddr_un::sun_path));
  EXPECT_EQ(Ask(**redis, "PING"), "+PONG\r\n");
  ASSERT_EQ(kill((*redis)->pid(), SIGKILL), 0);
  EXPECT_TRUE(Eventually([&] { return Ask(**redis, "PING") == "+PONG\r\n"; }));
  EXPECT_TRUE(Eventually([&] { return restarts == 1; }));
}

TEST(EmbeddedRedis, MissingServerIsNamedWithItsPackage) {
  TemporaryDirectory directory;
  const std::string path = getenv("PATH");
  setenv("PATH", directory.path().c_str(), 1);
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  setenv("PATH", path.c_str(), 1);
  ASSERT_EQ(redis.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(redis.status().message(),
            "redis-server is not installed; install it with: apt-get install redis-server, or use --redis "
            "redis://host:port");
}

TEST(EmbeddedRedis, DirectoryThatCannotBeUsedIsNamed) {
  TemporaryDirectory directory;
  std::ofstream(directory.path() + "/file") << "not a directory";
  auto redis = EmbeddedRedis::Start(In(directory.path() + "/file"), {});
  ASSERT_EQ(redis.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(redis.status().message()),
              AllOf(HasSubstr(directory.path() + "/file/redis"), HasSubstr("--data-dir")));
}

TEST(EmbeddedRedis, ServerThatCannotStartIsQuotedAtOnce) {
  TemporaryDirectory directory;
  auto redis = EmbeddedRedis::Start({.data_dir = directory.path(), .append_fsync = "sometimes"}, {});
  ASSERT_EQ(redis.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(redis.status().message()),
              AllOf(HasSubstr("exited with status 1"), HasSubstr("redis.log"), HasSubstr("sometimes")));
}

TEST(EmbeddedRedis, LogThatHasGrownTooLargeIsMovedAway) {
  TemporaryDirectory directory;
  const std::string log = directory.path() + "/redis/redis.log";
  std::filesystem::create_directory(directory.path() + "/redis");
  std::ofstream(log) << "old";
  std::filesystem::resize_file(log, limits::kEmbeddedLogBytesMax + 1);
  auto redis = EmbeddedRedis::Start(In(directory.path()), {});
  ASSERT_TRUE(redis.ok()) << redis.status();
  EXPECT_EQ(std::filesystem::file_size(log + ".1"), limits::kEmbeddedLogBytesMax + 1);
  EXPECT_LT(std::filesystem::file_size(log), limits::kEmbeddedLogBytesMax);
}

}  // namespace
}  // namespace viewcount
