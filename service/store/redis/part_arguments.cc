#include "service/store/redis/part_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "service/base/limits.h"
#include "service/store/redis/keys.h"

namespace viewcount {

std::string FormatLaneEntry(const Incarnation& incarnation, const Cursor& cursor) {
  return fmt::format("{} {}", ToHex(incarnation), cursor.ToString());
}

std::optional<LaneEntry> ParseLaneEntry(std::string_view text) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto incarnation = IdFromHex<Incarnation>(text.substr(0, space));
  const auto cursor = Cursor::Parse(text.substr(space + 1));
  if (!incarnation || !cursor) return std::nullopt;
  return LaneEntry{*incarnation, *cursor};
}

PartArguments::PartArguments(const Part& part, const RankedLimits& ranked) {
  AddKey(keys::Lanes(part.shard));
  words_.push_back(Keep(ToHex(part.lane)));
  words_.push_back(Keep(FormatLaneEntry(part.incarnation, part.expected)));
  words_.push_back(Keep(FormatLaneEntry(part.incarnation, part.next)));
  for (const HashDelta& hash : part.hashes) AddHash(part.shard, hash, ranked);
}

void PartArguments::AddHash(Shard shard, const HashDelta& hash, const RankedLimits& ranked) {
  words_.push_back(AddKey(keys::Counts(shard, hash.site, hash.window)));
  std::string ranking = keys::Ranking(shard, hash.site, hash.window);
  words_.push_back(ranking.empty() ? std::string_view("0") : AddKey(std::move(ranking)));
  words_.push_back(Keep(std::to_string(ranked.Of(hash.window.kind))));
  const auto seconds =
      hash.window.kind == Window::Kind::kHour ? std::chrono::seconds(limits::kHourKeysExpireAfter).count() : 0;
  words_.push_back(Keep(std::to_string(seconds)));
  words_.push_back(Keep(std::to_string(hash.deltas.size())));
  for (const ArticleDelta& delta : hash.deltas) {
    words_.push_back(delta.article_id);
    words_.push_back(delta.views == 1 ? std::string_view("1") : Keep(std::to_string(delta.views)));
  }
}

std::string_view PartArguments::AddKey(std::string key) {
  keys_.push_back(Keep(std::move(key)));
  return Keep(std::to_string(keys_.size()));
}

absl::StatusOr<ApplyResult> ApplyResultOf(const Part& part, const Reply& reply) {
  const auto wrong = [] { return absl::DataLossError("apply: Redis answered something else"); };
  if (reply.elements.empty()) return wrong();
  ApplyResult result;
  if (reply.elements[0].text == "STORED") {
    if (reply.elements.size() > 1) result.stored = reply.elements[1].text;
    return result;
  }
  if (reply.elements[0].text != "APPLIED") return wrong();
  result.applied = true;
  for (size_t i = 1; i + 1 < reply.elements.size(); i += 2) {
    const std::string& number = reply.elements[i].text;
    size_t index = 0;
    std::from_chars(number.data(), number.data() + number.size(), index);
    if (index == 0 || index > part.hashes.size()) return wrong();
    const HashDelta& hash = part.hashes[index - 1];
    const std::string& article_id = reply.elements[i + 1].text;
    const auto delta = std::find_if(hash.deltas.begin(), hash.deltas.end(),
                                    [&](const ArticleDelta& candidate) { return candidate.article_id == article_id; });
    result.set_aside.push_back(
        {keys::Counts(part.shard, hash.site, hash.window), article_id, delta == hash.deltas.end() ? 0 : delta->views});
  }
  return result;
}

}  // namespace viewcount
