// QueryService's GetCounts and ListPopular for what is cached, which most questions are: answered on the connection's
// own thread.
#pragma once

#include "service/http2/call.h"
#include "service/query/query_api.h"

namespace viewcount {

inline constexpr char kGetCountsPath[] = "/viewcount.v1.QueryService/GetCounts";
inline constexpr char kListPopularPath[] = "/viewcount.v1.QueryService/ListPopular";

// `others` answers what takes a question to the store. The API must outlive the calls.
Method GetCountsMethod(QueryApi& api, const Method& others);
Method ListPopularMethod(QueryApi& api, const Method& others);

}  // namespace viewcount
