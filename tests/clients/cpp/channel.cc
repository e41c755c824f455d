#include "tests/clients/cpp/channel.h"

#include <cstdlib>
#include <iostream>
#include <utility>

namespace viewcount::clients {

Articles MakeArticles(const std::string& prefix, size_t size, size_t bytes) {
  Articles articles;
  for (size_t number = 0; number < size; ++number) {
    articles.push_back(prefix + "/" + std::to_string(number) + "/");
    if (articles.back().size() < bytes) articles.back().resize(bytes, 'x');
  }
  return articles;
}

v1::RecordViewsRequest Batch(const Articles& articles) {
  v1::RecordViewsRequest request;
  request.set_site("demo");
  for (const auto& article : articles) request.add_views()->set_article_id(article);
  return request;
}

v1::GetCountsRequest Question(const Articles& articles) {
  v1::GetCountsRequest request;
  request.set_site("demo");
  for (const auto& article : articles) request.add_article_ids(article);
  return request;
}

v1::WatchCountsRequest Watching(const Articles& articles) {
  v1::WatchCountsRequest request;
  request.set_site("demo");
  for (const auto& article : articles) request.add_article_ids(article);
  return request;
}

Channel::Channel(const std::string& addresses) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  // With one server, the library's default policy applies, which reconnects only for a call.
  if (addresses.find(',') != std::string::npos) arguments.SetLoadBalancingPolicyName("round_robin");
  // The short backoff makes the client use a restarted server soon.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  const auto channel = grpc::CreateCustomChannel(addresses, grpc::InsecureChannelCredentials(), arguments);
  ingest_ = v1::IngestService::NewStub(channel);
  query_ = v1::QueryService::NewStub(channel);
  health_ = grpc::health::v1::Health::NewStub(channel);
  reflection_ = grpc::reflection::v1alpha::ServerReflection::NewStub(channel);
}

std::shared_ptr<CountsCall> CountsCall::Start(
    Channel& channel, const Articles& articles, std::chrono::microseconds timeout,
    std::function<void(const grpc::Status&, const v1::GetCountsResponse&)> done) {
  auto call = std::make_shared<CountsCall>();
  call->request = Question(articles);
  call->context.set_deadline(std::chrono::system_clock::now() + timeout);
  channel.query().async()->GetCounts(
      &call->context, &call->request, &call->response,
      [call, done = std::move(done)](const grpc::Status& status) { done(status, call->response); });
  return call;
}

void Leave(int exit_code) {
  std::cout << std::flush;
  std::_Exit(exit_code);
}

}  // namespace viewcount::clients
