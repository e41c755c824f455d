#include "service/http/live_json.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace viewcount {
namespace {

using google::protobuf::util::MessageDifferencer;
using google::protobuf::util::TimeUtil;

v1::WatchCountsResponse MessageOf(const std::vector<std::string>& ids) {
  v1::WatchCountsResponse message;
  for (const std::string& id : ids) {
    auto* count = message.add_counts();
    count->set_article_id(id);
    count->set_views(std::numeric_limits<uint64_t>::max());
    count->set_bot_views(7);
  }
  message.set_site_views(37'456'821);
  *message.mutable_as_of() = TimeUtil::MillisecondsToTimestamp(1'795'000'000'123);
  return message;
}

TEST(LiveJson, IsTheLibrarysOwn) {
  for (const auto& ids : std::vector<std::vector<std::string>>{
           {}, {"/news/1"}, {"/a", "/b"}, {"\"quoted\\\"", "</script>", "tin/Số lượt", "a b%20", "'&<>"}}) {
    const v1::WatchCountsResponse message = MessageOf(ids);
    std::string json;
    AppendJson(message, json);
    EXPECT_EQ(json.find('\n'), std::string::npos);
    v1::WatchCountsResponse parsed;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &parsed).ok()) << json;
    EXPECT_TRUE(MessageDifferencer::Equals(parsed, message)) << json;
    google::protobuf::util::JsonPrintOptions options;
    options.always_print_primitive_fields = true;
    std::string library;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(message, &library, options).ok());
    if (ids.size() < 3 && !ids.empty()) {
      EXPECT_EQ(json, library);
    }
  }
}

}  // namespace
}  // namespace viewcount
