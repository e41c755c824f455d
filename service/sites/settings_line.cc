#include "service/sites/settings_line.h"

namespace viewcount {

std::string EncodeSettings(const SiteSettings& settings) {
  std::string line = settings.time_zone;
  for (const std::string& origin : settings.allowed_origins) line += " " + origin;
  return line;
}

SiteSettings ParseSettings(std::string_view line) {
  size_t space = line.find(' ');
  SiteSettings settings{.time_zone = std::string(line.substr(0, space)), .allowed_origins = {}};
  while (space != std::string_view::npos) {
    line.remove_prefix(space + 1);
    space = line.find(' ');
    settings.allowed_origins.emplace_back(line.substr(0, space));
  }
  return settings;
}

}  // namespace viewcount
