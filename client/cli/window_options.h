// The options of commands that ask about a span of time.
#pragma once

#include <absl/status/status.h>

#include <chrono>
#include <optional>
#include <string>

#include "viewcount/v1/query.pb.h"

namespace CLI {
class App;
}

namespace viewcount::cli {

// At most one kind is given. Without any, the command has a default.
struct WindowOptions {
  // A duration such as 24h, 30d or 12w.
  std::string last = {};
  // A day as `YYYY-MM-DD`, or `today`.
  std::string day = {};
  // Times as RFC 3339 has them. Both are given or none.
  std::string start = {};
  std::string end = {};

  bool empty() const { return last.empty() && day.empty() && start.empty(); }
};

// Adds --last, --day, --from and --to. A default of `options.last` is shown. `options` must outlive the command.
void AddWindowOptions(CLI::App& command, WindowOptions& options);

// Parses a duration such as 24h, 30d or 12w. Returns nothing for any other text.
std::optional<std::chrono::milliseconds> SpanOfTime(const std::string& text);

// Sets the window, unless no option was given. INVALID_ARGUMENT names the option.
absl::Status FillWindow(const WindowOptions& options, v1::Window& window);

}  // namespace viewcount::cli
