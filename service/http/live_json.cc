#include "service/http/live_json.h"

#include <fmt/format.h>
#include <google/protobuf/util/time_util.h>

#include <iterator>

#include "service/base/log.h"

namespace viewcount {

void AppendJson(const v1::WatchCountsResponse& message, std::string& json) {
  const auto out = std::back_inserter(json);
  json += R"({"counts":[)";
  bool first = true;
  for (const v1::ArticleCount& count : message.counts()) {
    fmt::format_to(out, R"({}{{"articleId":"{}","views":"{}","viewers":"{}","botViews":"{}"}})", first ? "" : ",",
                   EscapeForJson(count.article_id()), count.views(), count.viewers(), count.bot_views());
    first = false;
  }
  fmt::format_to(out, R"(],"siteViews":"{}","siteVisits":"{}","asOf":"{}"}})", message.site_views(),
                 message.site_visits(), google::protobuf::util::TimeUtil::ToString(message.as_of()));
}

}  // namespace viewcount
