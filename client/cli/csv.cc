#include "client/cli/csv.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

namespace viewcount::cli {

std::string CsvCell(std::string_view text) {
  constexpr std::string_view kFormulaStarts = "=+-@\t\r";
  const bool is_formula = !text.empty() && kFormulaStarts.find(text.front()) != std::string_view::npos;
  std::string cell = is_formula ? "'" : "";
  cell.append(text);
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string JsonText(std::string_view text) {
  return boost::json::serialize(boost::json::string(boost::json::string_view(text.data(), text.size())));
}

}  // namespace viewcount::cli
