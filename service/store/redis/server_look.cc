#include "service/store/redis/server_look.h"

#include "service/store/redis/append_only_seal.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/preflight.h"

namespace viewcount {
namespace asio = boost::asio;

asio::awaitable<absl::StatusOr<ServerLook>> LookAtServer(RedisConnection& connection, RedisWaivers waivers) {
  const RedisCommand ask_info = {"INFO"};
  const auto info = Expect(co_await connection.Execute(ask_info), Reply::Kind::kText, "INFO");
  if (!info.ok()) co_return info.status();
  ServerLook look;
  look.usable = CheckServer(info->text);
  if (!look.usable.ok()) co_return look;
  const RedisCommand ask_meta = {"HEXISTS", keys::kMeta, "data_set"};
  const auto meta = Expect(co_await connection.Execute(ask_meta), Reply::Kind::kInteger, "HEXISTS");
  if (!meta.ok()) co_return meta.status();
  look.run_id = InfoField(info->text, "run_id");
  look.meta_lost = meta->integer == 0;
  look.evicted_keys = EvictedKeysOf(info->text);
  if (!waivers.persistence) look.warning = co_await PersistenceWarning(connection, info->text);
  co_return look;
}

}  // namespace viewcount
