// The requests of the query workloads: GetCounts and ListPopular.
#include <absl/status/status.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <set>
#include <string>

#include "bench/load/encoded_pool.h"
#include "bench/load/request_source.h"
#include "viewcount/v1/query.pb.h"

namespace viewcount::bench {
namespace {

// The number of articles in all different requests together.
constexpr size_t kArticlesAskedFor = 200'000;
constexpr uint32_t kPopularPage = 100;

// Creates requests for counts or popular lists, which are encoded in advance. Not thread-safe.
class QuestionSource final : public RequestSource {
 public:
  explicit QuestionSource(const Options& options)
      : method_(options.workload == Workload::kCounts ? "/viewcount.v1.QueryService/GetCounts"
                                                      : "/viewcount.v1.QueryService/ListPopular") {
    if (options.workload == Workload::kCounts) {
      FillCounts(options);
    } else {
      FillPopular(options);
    }
  }

  const char* method() const override { return method_; }
  Request Next(size_t) override {
    const std::string_view bytes = pool_[pool_.Next()];
    return {.slices = {grpc_slice_from_static_buffer(bytes.data(), bytes.size())}, .slice_count = 1};
  }
  Answer Understand(size_t, grpc_status_code code, std::string_view) override { return {.code = NameOf(code)}; }

 private:
  void FillCounts(const Options& options) {
    ArticleDraws draws(options, options.popular);
    v1::GetCountsRequest message;
    for (size_t i = 0; i < kArticlesAskedFor; i += options.ids) {
      message.set_site(options.site);
      message.clear_article_ids();
      std::set<std::string> ids;
      while (ids.size() < options.ids) ids.insert(draws.Next());
      for (const std::string& id : ids) message.add_article_ids(id);
      pool_.Add(message.SerializeAsString());
    }
  }

  void FillPopular(const Options& options) {
    v1::ListPopularRequest message;
    message.set_site(options.site);
    message.set_page_size(kPopularPage);
    if (options.window == "day") {
      message.mutable_window()->set_day(absl::FormatTime("%Y-%m-%d", absl::Now(), absl::UTCTimeZone()));
    } else {
      message.mutable_window()->set_all_time(true);
    }
    pool_.Add(message.SerializeAsString());
  }

  const char* const method_;
  EncodedPool pool_;
};

}  // namespace

std::unique_ptr<RequestSource> MakeQuestionSource(const Options& options) {
  return std::make_unique<QuestionSource>(options);
}

std::string_view NameOf(grpc_status_code code) {
  static const auto* const names = [] {
    auto* made = new std::array<std::string, 17>;
    for (int i = 0; i < 17; ++i) (*made)[i] = absl::StatusCodeToString(static_cast<absl::StatusCode>(i));
    return made;
  }();
  return (*names)[std::min<size_t>(code, GRPC_STATUS_UNAUTHENTICATED)];
}

}  // namespace viewcount::bench
