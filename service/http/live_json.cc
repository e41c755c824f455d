#include "service/http/live_json.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "service/base/log.h"

namespace viewcount {
namespace {

void AppendNumber(std::string_view before, uint64_t number, std::string& json) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  json.append(before).append(digits, end);
}

// Appends `text` as the contents of a JSON string. Almost all IDs need no escapes.
void AppendText(std::string_view text, std::string& json) {
  const auto plain = [](char c) { return c >= ' ' && c != '"' && c != '\\' && c != '\x7F'; };
  if (std::ranges::all_of(text, plain)) {
    json += text;
  } else {
    json += EscapeForJson(text);
  }
}

// Appends a field that only articles have which are asked for by address.
void AppendAsked(std::string_view before, std::string_view text, std::string& json) {
  if (text.empty()) return;
  json += before;
  AppendText(text, json);
}

}  // namespace

void AppendJson(const v1::WatchCountsResponse& message, std::string& json) {
  std::string_view begin = R"({"counts":[{"articleId":")";
  for (const v1::ArticleCount& count : message.counts()) {
    json += begin;
    AppendText(count.article_id(), json);
    AppendNumber(R"(","views":")", count.views(), json);
    AppendNumber(R"(","viewers":")", count.viewers(), json);
    AppendNumber(R"(","botViews":")", count.bot_views(), json);
    AppendAsked(R"(","address":")", count.address(), json);
    AppendAsked(R"(","canonicalAddress":")", count.canonical_address(), json);
    AppendAsked(R"(","error":")", count.error(), json);
    begin = R"("},{"articleId":")";
  }
  AppendNumber(message.counts().empty() ? R"({"counts":[],"siteViews":")" : R"("}],"siteViews":")",
               message.site_views(), json);
  AppendNumber(R"(","siteVisits":")", message.site_visits(), json);
  json += R"(","asOf":")";
  json += google::protobuf::util::TimeUtil::ToString(message.as_of());
  json += "\"}";
}

}  // namespace viewcount
