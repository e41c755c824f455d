#include "service/grpc/cached_methods.h"

#include <google/protobuf/arena.h>

#include <array>
#include <utility>

#include "service/grpc/http2/grpc_status.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount {
namespace {

// Enough for a request about the articles of one page.
constexpr size_t kArenaBytes = 16 << 10;

// The differences between the methods: the messages, and the function that answers.
struct GetCounts {
  using Api = QueryApi;
  using Request = v1::GetCountsRequest;
  using Response = v1::GetCountsResponse;
  static auto Answer(Api& api, const Request& request, Response& response) {
    return api.GetCountsCached(request, response);
  }
};
struct ListPopular {
  using Api = ListApi;
  using Request = v1::ListPopularRequest;
  using Response = v1::ListPopularResponse;
  static auto Answer(Api& api, const Request& request, Response& response) {
    return api.ListPopularCached(request, response);
  }
};

template <typename Question>
class CachedCall final : public CallHandler {
 public:
  CachedCall(typename Question::Api& api, const Method& others, Call& call) : api_(api), others_(others), call_(call) {}

  void OnMessage(std::string message) override {
    alignas(8) std::array<char, kArenaBytes> memory;
    google::protobuf::ArenaOptions options;
    options.initial_block = memory.data();
    options.initial_block_size = memory.size();
    google::protobuf::Arena arena(options);
    auto* request = google::protobuf::Arena::CreateMessage<typename Question::Request>(&arena);
    auto* response = google::protobuf::Arena::CreateMessage<typename Question::Response>(&arena);
    if (!request->ParseFromString(message)) {
      return call_.Finish({grpc::StatusCode::INTERNAL, "the request is not a " + request->GetTypeName()});
    }
    const auto answered = Question::Answer(api_, *request, *response);
    if (!answered) return HandOver(std::move(message));
    if (answered->ok()) call_.Send(response->SerializeAsString());
    call_.Finish(ToGrpc(*answered));
  }
  void OnRequestEnd() override { call_.Finish({grpc::StatusCode::INTERNAL, "the request has no message"}); }
  void OnEnd() override {}

 private:
  void HandOver(std::string message) {
    const HandlerRef other = others_.begin(call_);
    call_.HandOver(other);
    other->OnMessage(std::move(message));
  }

  typename Question::Api& api_;
  const Method& others_;
  Call& call_;
};

template <typename Question>
Method CachedMethod(typename Question::Api& api, const Method& others) {
  return {.begin = [&api, &others](Call& call) { return HandlerRef(new CachedCall<Question>(api, others, call)); },
          .one_request = true};
}

}  // namespace

Method GetCountsMethod(QueryApi& api, const Method& others) { return CachedMethod<GetCounts>(api, others); }
Method ListPopularMethod(ListApi& api, const Method& others) { return CachedMethod<ListPopular>(api, others); }

}  // namespace viewcount
