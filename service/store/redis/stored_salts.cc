#include "service/store/redis/stored_salts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "service/base/limits.h"
#include "service/store/redis/keys.h"

namespace viewcount {
namespace asio = boost::asio;

namespace {

// Returns whether the field's day lies before the day that is given for its site.
bool IsBefore(std::string_view field, const SiteDays& first_days) {
  // A site's name contains no slash.
  const size_t slash = field.find('/');
  if (slash == std::string_view::npos) return false;
  const auto first = first_days.find(field.substr(0, slash));
  if (first == first_days.end()) return false;
  const std::string_view digits = field.substr(slash + 1);
  uint32_t day = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), day);
  return error == std::errc() && stop == digits.data() + digits.size() && day < first->second;
}

// Returns the field's text, or nil.
asio::awaitable<absl::StatusOr<Reply>> ReadField(RedisConnection& connection, const RedisCommand& command) {
  auto reply = co_await connection.Execute(command);
  if (reply.ok() && reply->kind == Reply::Kind::kError) co_return ErrorOfReply(reply->text);
  co_return reply;
}

}  // namespace

std::string SaltField(std::string_view site, uint32_t day) { return fmt::format("{}/{:08}", site, day); }

asio::awaitable<absl::StatusOr<ViewerSalt>> ObtainStoredSalt(RedisConnection& connection, std::string_view site,
                                                             uint32_t day, const ViewerSalt& fresh) {
  const std::string field = SaltField(site, day);
  const std::string hex = ToHex(fresh);
  const RedisCommand get = {"HGET", keys::kSalts, field};
  auto stored = co_await ReadField(connection, get);
  if (stored.ok() && stored->is_nil()) {
    // If several instances write a salt, the first one stays, and all instances read that one.
    const RedisCommand set = {"HSETNX", keys::kSalts, field, hex};
    const auto written = Expect(co_await connection.Execute(set), Reply::Kind::kInteger, "HSETNX");
    if (!written.ok()) co_return written.status();
    stored = co_await ReadField(connection, get);
  }
  if (!stored.ok()) co_return stored.status();
  const auto salt = stored->kind == Reply::Kind::kText ? IdFromHex<ViewerSalt>(stored->text) : std::nullopt;
  // The message does not quote the stored value, which may be a secret.
  if (!salt || salt->IsNone())
    co_return absl::DataLossError(fmt::format("{} holds no salt in field {}", keys::kSalts, field));
  co_return *salt;
}

asio::awaitable<absl::StatusOr<std::vector<std::string>>> ListStoredSalts(RedisConnection& connection,
                                                                          const SiteDays& first_days) {
  const std::string step = std::to_string(limits::kSaltsStep);
  std::vector<std::string> fields;
  std::string cursor = "0";
  do {
    const RedisCommand command = {"HSCAN", keys::kSalts, cursor, "COUNT", step};
    auto reply = Expect(co_await connection.Execute(command), Reply::Kind::kArray, "HSCAN");
    if (!reply.ok()) co_return reply.status();
    if (reply->elements.size() != 2) co_return absl::DataLossError("Redis answered HSCAN with something else");
    std::vector<Reply>& words = reply->elements[1].elements;
    for (size_t i = 0; i + 1 < words.size(); i += 2) {
      if (IsBefore(words[i].text, first_days)) fields.push_back(std::move(words[i].text));
    }
    cursor = reply->elements[0].text;
  } while (cursor != "0");
  co_return fields;
}

asio::awaitable<absl::Status> RemoveStoredSalts(RedisConnection& connection, const std::vector<std::string>& fields) {
  for (size_t begin = 0; begin < fields.size(); begin += limits::kSaltsStep) {
    RedisCommand command = {"HDEL", keys::kSalts};
    const size_t end = std::min(begin + limits::kSaltsStep, fields.size());
    command.insert(command.end(), fields.begin() + static_cast<ptrdiff_t>(begin),
                   fields.begin() + static_cast<ptrdiff_t>(end));
    auto reply = co_await connection.Execute(command);
    if (auto status = Expect(std::move(reply), Reply::Kind::kInteger, "HDEL").status(); !status.ok()) co_return status;
  }
  co_return absl::OkStatus();
}

}  // namespace viewcount
