#include "service/query/counts_method.h"

#include <google/protobuf/arena.h>

#include <array>
#include <utility>

#include "service/grpc/status.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {
namespace {

// Enough for a question about the articles of one page.
constexpr size_t kArenaBytes = 16 << 10;

class GetCountsCall final : public CallHandler {
 public:
  GetCountsCall(QueryApi& api, const Method& others, Call& call) : api_(api), others_(others), call_(call) {}

  void OnMessage(std::string message) override {
    alignas(8) std::array<char, kArenaBytes> memory;
    google::protobuf::ArenaOptions options;
    options.initial_block = memory.data();
    options.initial_block_size = memory.size();
    google::protobuf::Arena arena(options);
    auto* request = google::protobuf::Arena::CreateMessage<v1::GetCountsRequest>(&arena);
    auto* response = google::protobuf::Arena::CreateMessage<v1::GetCountsResponse>(&arena);
    if (!request->ParseFromString(message)) {
      return call_.Finish({grpc::StatusCode::INTERNAL, "the request is not a viewcount.v1.GetCountsRequest"});
    }
    const auto answered = api_.GetCountsCached(*request, *response);
    if (!answered) return HandOver(std::move(message));
    if (answered->ok()) call_.Send(response->SerializeAsString());
    call_.Finish(ToGrpc(*answered));
  }
  void OnRequestEnd() override { call_.Finish({grpc::StatusCode::INTERNAL, "the request has no message"}); }
  void OnEnd() override { delete this; }

 private:
  void HandOver(std::string message) {
    CallHandler* const other = others_.begin(call_);
    call_.HandOver(other);
    other->OnMessage(std::move(message));
    delete this;
  }

  QueryApi& api_;
  const Method& others_;
  Call& call_;
};

}  // namespace

Method GetCountsMethod(QueryApi& api, const Method& others) {
  return {.begin = [&api, &others](Call& call) { return new GetCountsCall(api, others, call); }, .one_request = true};
}

}  // namespace viewcount
