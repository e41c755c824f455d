// Builds adjustments for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "service/lane/adjustment.h"

namespace viewcount {

struct TestChange {
  std::string article_id;
  Window window;
  int64_t views = 0;
};

// Returns an adjustment of the site "demo", made at `unix_ms`.
inline Adjustment TestAdjustment(int64_t unix_ms, const std::vector<TestChange>& changes,
                                 const std::string& undoes = "") {
  journal::v1::Adjustment message;
  message.set_adjustment_id(ToHex(RandomId<LaneId>()));
  message.set_site("demo");
  message.set_unix_ms(unix_ms);
  message.set_who("a test");
  message.set_undoes_adjustment_id(undoes);
  for (const TestChange& change : changes) {
    auto* article = message.add_changes();
    article->set_article_id(change.article_id);
    *article->add_windows() = ChangeOf(change.window, change.views);
  }
  return MakeAdjustment(std::move(message));
}

}  // namespace viewcount
