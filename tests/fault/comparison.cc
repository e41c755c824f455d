#include "tests/fault/comparison.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <unordered_map>

#include "service/base/limits.h"
#include "tests/support/child_process.h"
#include "tests/support/eventually.h"
#include "viewcount/v1/admin.grpc.pb.h"
#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount {
namespace {

constexpr int kRemarksMax = 5;
constexpr std::chrono::seconds kAskTimeout{10};
constexpr std::chrono::seconds kAuditTimeout{120};

void Compare(const Truth& truth, int article, uint64_t counted, Difference& difference) {
  const uint64_t wanted = truth.acknowledged(article);
  if (counted == wanted) return;
  (counted < wanted ? difference.lost : difference.doubled) += std::max(counted, wanted) - std::min(counted, wanted);
  if (++difference.articles <= kRemarksMax) {
    absl::StrAppend(&difference.remarks, "; ", truth.IdOf(article), " has ", counted, " instead of ", wanted);
  }
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

std::string Difference::ToString() const {
  return absl::StrCat(lost, " lost, ", doubled, " doubled, ", articles, " articles differ", remarks);
}

grpc::Status GetCounts(const std::shared_ptr<grpc::Channel>& channel, const Truth& truth, int first, int count,
                       v1::GetCountsResponse& response) {
  v1::GetCountsRequest request;
  request.set_site("demo");
  for (int article = first; article < first + count; ++article) request.add_article_ids(truth.IdOf(article));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kAskTimeout);
  grpc::Status status = v1::QueryService::NewStub(channel)->GetCounts(&context, request, &response);
  if (status.ok() && !response.exact()) return {grpc::StatusCode::UNAVAILABLE, "the answer is not exact"};
  if (status.ok() && response.counts_size() != count) return {grpc::StatusCode::INTERNAL, "counts are missing"};
  return status;
}

Difference CompareAnswers(const std::shared_ptr<grpc::Channel>& channel, const Truth& truth) {
  constexpr int kPage = limits::kGetCountsArticlesMax;
  Difference difference;
  for (int first = 0; first < truth.articles(); first += kPage) {
    const int count = std::min(kPage, truth.articles() - first);
    v1::GetCountsResponse response;
    if (const auto status = GetCounts(channel, truth, first, count, response); !status.ok()) {
      difference.remarks = "; GetCounts: " + status.error_message();
      return difference;
    }
    for (int i = 0; i < count; ++i) Compare(truth, first + i, response.counts(i).views(), difference);
  }
  return difference;
}

Difference CompareStored(RedisProcess& redis, const Truth& truth) {
  Difference difference;
  std::unordered_map<std::string, uint64_t> stored;
  uint64_t sum = 0;
  uint64_t sum_of_shards = 0;
  for (uint32_t shard = 0; shard < limits::kShards; ++shard) {
    char key[32];
    std::snprintf(key, sizeof(key), "vc:{%02u}:demo:all", shard);
    const std::vector<std::string> fields = redis.List({"HGETALL", key});
    for (size_t i = 0; i + 1 < fields.size(); i += 2) {
      uint64_t views = 0;
      if (!absl::SimpleAtoi(fields[i + 1], &views)) difference.remarks += "; no number: " + fields[i + 1];
      (fields[i].empty() ? sum_of_shards : sum) += views;
      if (!fields[i].empty()) stored[fields[i]] += views;
    }
  }
  for (int article = 0; article < truth.articles(); ++article) {
    const auto found = stored.find(truth.IdOf(article));
    Compare(truth, article, found == stored.end() ? 0 : found->second, difference);
    if (found != stored.end()) stored.erase(found);
  }
  if (!stored.empty()) absl::StrAppend(&difference.remarks, "; ", stored.size(), " articles were never sent");
  if (sum != sum_of_shards)
    absl::StrAppend(&difference.remarks, "; the shards' sums are ", sum_of_shards, " not ", sum);
  return difference;
}

bool SameEverywhere(const std::shared_ptr<grpc::Channel>& channel, RedisProcess& redis, const Truth& truth) {
  const Difference answers = CompareAnswers(channel, truth);
  const Difference stored = CompareStored(redis, truth);
  std::printf("acknowledged %llu views of %d articles\nGetCounts: %s\nRedis: %s\n",
              static_cast<unsigned long long>(truth.total()), truth.articles(), answers.ToString().c_str(),
              stored.ToString().c_str());
  std::fflush(stdout);
  return answers.none() && stored.none();
}

bool FlushAll(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds timeout) {
  auto admin = v1::AdminService::NewStub(channel);
  return Eventually(
      [&] {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + kAskTimeout);
        v1::FlushResponse response;
        return admin->Flush(&context, v1::FlushRequest(), &response).ok();
      },
      timeout);
}

bool ReachesStore(const std::shared_ptr<grpc::Channel>& channel, std::chrono::milliseconds timeout) {
  auto admin = v1::AdminService::NewStub(channel);
  return Eventually(
      [&] {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + kAskTimeout);
        v1::GetStatusResponse response;
        return admin->GetStatus(&context, v1::GetStatusRequest(), &response).ok() &&
               response.store_state() == v1::STORE_STATE_READY;
      },
      timeout);
}

bool AuditIsClean(const std::string& server) {
  const TemporaryDirectory folder;
  ChildProcess help;
  help.Start({VIEWCOUNT, "--help"}, folder.path() + "/help");
  help.Stop(0, kAuditTimeout);
  if (ReadAll(folder.path() + "/help").find("audit") == std::string::npos) {
    std::printf("audit: this build has none\n");
    return true;
  }
  ChildProcess audit;
  audit.Start({VIEWCOUNT, "--server", server, "audit"}, folder.path() + "/audit");
  const auto code = audit.Stop(0, kAuditTimeout);
  std::printf("audit: exit code %d\n", code.value_or(-1));
  if (code != 0) std::printf("%s\n", ReadAll(folder.path() + "/audit").c_str());
  return code == 0;
}

}  // namespace viewcount
