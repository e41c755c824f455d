// GetCounts and ListPopular of QueryService for cached answers, which serve most requests. They are answered on the
// connection's own thread.
#pragma once

#include "service/grpc/http2/call.h"
#include "service/query/list_api.h"
#include "service/query/query_api.h"

namespace viewcount {

inline constexpr char kGetCountsPath[] = "/viewcount.v1.QueryService/GetCounts";
inline constexpr char kListPopularPath[] = "/viewcount.v1.QueryService/ListPopular";

// `others` serves the requests that have to read the store. `api` and `others` must outlive the calls.
Method GetCountsMethod(QueryApi& api, const Method& others);
Method ListPopularMethod(ListApi& api, const Method& others);

}  // namespace viewcount
