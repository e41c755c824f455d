#include "client/cli/csv.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

namespace viewcount::cli {

std::string JsonText(std::string_view text) {
  return boost::json::serialize(boost::json::string(boost::json::string_view(text.data(), text.size())));
}

}  // namespace viewcount::cli
