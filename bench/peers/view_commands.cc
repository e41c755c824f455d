#include "bench/peers/view_commands.h"

#include <fmt/format.h>

#include "bench/articles.h"

namespace viewcount {
namespace {

std::string Command(ViewCommands::Form form, const std::string& id) {
  switch (form) {
    case ViewCommands::Form::kIncrement:
      return fmt::format("*2\r\n$4\r\nINCR\r\n${}\r\n{}\r\n", id.size(), id);
    case ViewCommands::Form::kRank:
      return fmt::format("*4\r\n$7\r\nZINCRBY\r\n$5\r\nviews\r\n$1\r\n1\r\n${}\r\n{}\r\n", id.size(), id);
    case ViewCommands::Form::kStatsd:
      break;
  }
  return id + ":1|c";
}

}  // namespace

ViewCommands::ViewCommands(Form form, size_t articles, size_t draws) : ends_{0} {
  const auto ids = ArticleIds(articles);
  ends_.reserve(draws + 1);
  for (const uint32_t index : ZipfDraws(articles, draws)) {
    bytes_ += Command(form, ids[index]);
    ends_.push_back(bytes_.size());
  }
}

}  // namespace viewcount
