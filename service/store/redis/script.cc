#include "service/store/redis/script.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <utility>

#include "service/base/check.h"

namespace viewcount {
namespace {

// Returns the SHA-1 of a script in hexadecimal. Redis identifies scripts by it.
std::string DigestOf(std::string_view source) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  VIEWCOUNT_CHECK(EVP_Digest(source.data(), source.size(), bytes, &size, EVP_sha1(), nullptr) == 1);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return hex;
}

}  // namespace

Script::Script(std::string source) : source_(std::move(source)), digest_(DigestOf(source_)) {}

boost::asio::awaitable<absl::StatusOr<Reply>> Script::Run(RedisConnection& connection,
                                                          const std::vector<std::string_view>& keys,
                                                          const std::vector<std::string_view>& arguments) const {
  const std::string key_count = std::to_string(keys.size());
  RedisCommand command;
  command.reserve(3 + keys.size() + arguments.size());
  command.push_back("EVALSHA");
  command.push_back(digest_);
  command.push_back(key_count);
  command.insert(command.end(), keys.begin(), keys.end());
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto reply = co_await connection.Execute(command);
  if (reply.ok() && reply->kind == Reply::Kind::kError && reply->text.starts_with("NOSCRIPT")) {
    command[0] = "EVAL";
    command[1] = source_;
    reply = co_await connection.Execute(command);
  }
  co_return Expect(std::move(reply), Reply::Kind::kArray, "a script");
}

}  // namespace viewcount
