// The kinds of questions that analysts and editors ask, each with requests that differ from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "viewcount/v1/query.grpc.pb.h"

namespace viewcount::bench {

struct QuestionOptions {
  std::string site = "demo";
  size_t articles = 100'000;
  // Days of history, today included. At least 10.
  size_t days = 60;
  uint64_t seed = 1;
};

// The outcome of one call.
struct Answered {
  grpc::Status status;
  // The response's own statement; true for responses that have none.
  bool exact = true;
  int rows = 0;
};

// A request that can be sent again.
using Call = std::function<Answered(v1::QueryService::Stub&, grpc::ClientContext&)>;

struct QuestionKind {
  std::string name;
  // Makes the request of a call. The windows of subsequent calls differ if `recurs` is false, so that the service must
  // read each from Redis.
  std::function<Call(size_t call)> make;
  // True if there is only one request. The service must then be left alone until what it read is too old.
  bool recurs = false;
};

// `now_unix_s` is the time at which the history ends.
std::vector<QuestionKind> QuestionKinds(const QuestionOptions& options, int64_t now_unix_s);

// Returns a request that costs the service little.
Call WarmUp(const QuestionOptions& options);
// Returns a request for a popular list of up to 100 rows of a random window: the last hours, a day, some days, some
// hours, or all time.
Call RandomList(const QuestionOptions& options, int64_t now_unix_s, std::mt19937_64& random);

}  // namespace viewcount::bench
