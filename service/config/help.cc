#include "service/config/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "service/config/settings.h"

namespace viewcount {
namespace {

constexpr size_t kLineMax = 100;
constexpr size_t kIndent = 6;
constexpr char kUsage[] = R"(Usage: viewcountd [FLAGS]

viewcountd counts page views: it takes them by gRPC, sums them in memory, and keeps the
counts in Redis.

)";
constexpr char kFooter[] = R"(
Every setting is also an environment variable (VIEWCOUNT_GRPC_ADDRESS for --grpc-address;
VIEWCOUNT_SITE takes names with commas between them) and a key of the --config file
(grpc-address = "127.0.0.1:7400"). Flags win over the environment, the environment over the file,
the file over the defaults.

Examples:
  viewcountd --site portal
      Everything on this machine, Redis included.
  VIEWCOUNT_REDIS=redis://:secret@10.0.0.5:6379/0 viewcountd --grpc-address 10.0.0.7:7400
      With a Redis of its own, for other machines of a private network.
  viewcountd --config /etc/viewcount/viewcount.toml --check-config
      What would be used, without starting anything.
)";

std::string Entry(std::string_view flag, std::string_view help) {
  std::string text = fmt::format("  {}\n", flag);
  while (!help.empty()) {
    size_t size = help.size();
    if (size > kLineMax - kIndent) size = std::min(help.rfind(' ', kLineMax - kIndent), size);
    text += fmt::format("{:{}}{}\n", "", kIndent, help.substr(0, size));
    help.remove_prefix(std::min(size + 1, help.size()));
  }
  return text;
}

}  // namespace

std::string HelpText() {
  std::string text = kUsage;
  for (const auto& setting : Settings()) {
    text += Entry(fmt::format("--{} {}", setting.key, setting.value_name), setting.help);
  }
  text += Entry("--config FILE", "A file of settings; its keys are the flags without dashes. Also VIEWCOUNT_CONFIG.");
  text += Entry("--check-config", "Check all settings, print those that would be used, and end.");
  text += Entry("--version", "Print the version and end.");
  text += Entry("-h, --help", "Print this and end.");
  return text + kFooter;
}

}  // namespace viewcount
