#include "service/http/csv_answer.h"

#include <utility>

#include "service/base/status.h"

namespace viewcount {

absl::StatusOr<bool> AsksForCsv(const Parameters& parameters) {
  const auto format = parameters.Find("format");
  if (!format || *format == "json") return false;
  if (*format == "csv") return true;
  return InvalidField("format", "must be json or csv");
}

HttpResponse CsvResponse(std::string text) {
  HttpResponse response;
  response.set(boost::beast::http::field::content_type, "text/csv; charset=utf-8; header=present");
  response.set(boost::beast::http::field::cache_control, "no-store");
  response.body() = std::move(text);
  return response;
}

}  // namespace viewcount
