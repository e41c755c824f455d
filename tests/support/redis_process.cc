#include "tests/support/redis_process.h"

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "tests/support/eventually.h"

namespace viewcount {
namespace {

constexpr std::chrono::seconds kStartTimeout{20};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "test support: %s\n", what.c_str());
  std::_Exit(EXIT_FAILURE);
}

std::string TextOf(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_ARRAY: {
      std::string text;
      for (size_t i = 0; i < reply.elements; ++i) text += (i > 0 ? " " : "") + TextOf(*reply.element[i]);
      return text;
    }
    default:
      return std::string(reply.str, reply.len);
  }
}

}  // namespace

RedisProcess::RedisProcess(std::vector<std::string> options) : options_(std::move(options)) { Start(); }

RedisProcess::~RedisProcess() { Kill(); }

void RedisProcess::Start(std::vector<std::string> options) {
  options_ = std::move(options);
  Start();
}

void RedisProcess::Start() {
  std::vector<std::string> words = {"redis-server",
                                    "--port",
                                    "0",
                                    "--unixsocket",
                                    socket_path(),
                                    "--dir",
                                    folder_.path(),
                                    "--loglevel",
                                    "warning",
                                    "--logfile",
                                    folder_.path() + "/redis.log",
                                    "--save",
                                    ""};
  words.insert(words.end(), options_.begin(), options_.end());
  process_.Start(words);
  if (WaitUntilItAnswers()) return;
  // If a crash tore an append-only file other than the last one, redis-server repairs the file and ends. The second
  // start then succeeds.
  process_.Kill();
  process_.Start(std::move(words));
  if (!WaitUntilItAnswers()) Fail("redis-server is not installed or ended at once");
}

bool RedisProcess::WaitUntilItAnswers() {
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    if (process_.HasEnded()) return false;
    if (redisContext* context = redisConnectUnix(socket_path().c_str()); context != nullptr) {
      context_ = context;
      // A server with a password has started too: it answers NOAUTH.
      const std::string answer = context->err == 0 ? Command({"PING"}) : "";
      if (answer == "PONG" || answer.starts_with("NOAUTH")) return true;
      redisFree(std::exchange(context_, nullptr));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  Fail("redis-server did not answer in time");
}

void RedisProcess::WaitUntilWritten() {
  const auto written = [this] {
    return Command({"INFO", "persistence"}).find("aof_buffer_length:0\r") != std::string::npos;
  };
  if (!Eventually(written, kStartTimeout)) Fail("redis-server does not write its append-only file");
}

void RedisProcess::Kill() {
  if (context_ != nullptr) redisFree(std::exchange(context_, nullptr));
  process_.Kill();
}

redisContext* RedisProcess::Connect() {
  if (context_ == nullptr || context_->err != 0) {
    if (context_ != nullptr) redisFree(context_);
    context_ = redisConnectUnix(socket_path().c_str());
  }
  if (context_ == nullptr || context_->err != 0) Fail("cannot connect to redis-server");
  return context_;
}

RedisProcess::Answer RedisProcess::Send(const std::vector<std::string>& words) {
  std::vector<const char*> arguments;
  std::vector<size_t> sizes;
  for (const std::string& word : words) {
    arguments.push_back(word.data());
    sizes.push_back(word.size());
  }
  return Answer(static_cast<redisReply*>(
                    redisCommandArgv(Connect(), static_cast<int>(words.size()), arguments.data(), sizes.data())),
                freeReplyObject);
}

std::string RedisProcess::Command(const std::vector<std::string>& words) {
  const Answer reply = Send(words);
  return reply == nullptr ? "(connection lost)" : TextOf(*reply);
}

std::vector<std::string> RedisProcess::List(const std::vector<std::string>& words) {
  const Answer reply = Send(words);
  std::vector<std::string> list;
  if (reply == nullptr) return list;
  for (size_t i = 0; i < reply->elements; ++i) list.push_back(TextOf(*reply->element[i]));
  return list;
}

}  // namespace viewcount
