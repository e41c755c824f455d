// The options of the commands annotation put, list and delete.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace viewcount::cli {

// Stores a note at a moment. A plain value.
struct AnnotationPutCommand {
  std::string text;
  // A time as RFC 3339 has it. Empty means now.
  std::string time;
  // Empty for the whole site.
  std::string article;
  // The annotation to replace. Empty for a new one.
  std::string id;
};
struct AnnotationListCommand {};
struct AnnotationDeleteCommand {
  std::string id;
};

// Adds the arguments to the commands. `options` must outlive them.
void AddAnnotationPutOptions(CLI::App& command, AnnotationPutCommand& options);
void AddAnnotationDeleteOptions(CLI::App& command, AnnotationDeleteCommand& options);

}  // namespace viewcount::cli
