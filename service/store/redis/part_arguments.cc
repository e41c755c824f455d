#include "service/store/redis/part_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "service/base/check.h"
#include "service/base/limits.h"
#include "service/store/redis/keys.h"
#include "service/store/redis/lane_entry.h"

namespace viewcount {

namespace {

// Returns the views of all time in the part, people's and bots'.
uint64_t ViewsOf(const Part& part) {
  uint64_t views = 0;
  for (const HashDelta& hash : part.hashes) {
    if (hash.adjustment || (hash.window.kind != Window::Kind::kAllTime && hash.window.kind != Window::Kind::kBots)) {
      continue;
    }
    for (const ArticleDelta& delta : hash.deltas) views += static_cast<uint64_t>(delta.views);
  }
  return views;
}

std::string_view WordOf(Window::Kind kind) {
  switch (kind) {
    case Window::Kind::kAllTime:
      return "all";
    case Window::Kind::kDay:
      return "d";
    case Window::Kind::kHour:
      return "h";
    case Window::Kind::kBots:
      return "bots";
    case Window::Kind::kVisits:
    case Window::Kind::kVisitDay:
      return "visits";
    case Window::Kind::kViewers:
      break;
  }
  VIEWCOUNT_CHECK(false);
}

}  // namespace

PartArguments::PartArguments(const Part& part, const RankedLimits& ranked) {
  VIEWCOUNT_CHECK(part.lost <= limits::kCountMax);
  AddKey(keys::Lanes(part.shard));
  AddKey(keys::Totals(part.shard));
  words_.push_back(Keep(ToHex(part.lane)));
  words_.push_back(Keep(FormatLaneEntry(part.incarnation, part.expected)));
  words_.push_back(Keep(FormatLaneEntry(part.incarnation, part.next)));
  words_.push_back(Keep(std::to_string(ViewsOf(part))));
  words_.push_back(Keep(std::to_string(part.lost)));
  AddNotes(part);
  const size_t lists = words_.size();
  words_.emplace_back();
  for (const bool adjustment : {false, true}) {
    for (size_t i = 0; i < part.hashes.size(); ++i) {
      if (part.hashes[i].adjustment == adjustment) AddHash(part.shard, i + 1, part.hashes[i], ranked);
    }
  }
  words_[lists] = Keep(lists_.Take());
}

void PartArguments::AddNotes(const Part& part) {
  words_.push_back(Keep(std::to_string(part.notes.size())));
  for (const Note& note : part.notes) {
    words_.push_back(AddKey(keys::Notes(part.shard, note.site)));
    words_.push_back(note.field);
    words_.push_back(note.text);
  }
}

void PartArguments::AddHash(Shard shard, size_t number, const HashDelta& hash, const RankedLimits& ranked) {
  words_.push_back(Keep(std::to_string(number)));
  words_.push_back(AddKey(keys::Counts(shard, hash.site, hash.window)));
  std::string ranking = keys::Ranking(shard, hash.site, hash.window);
  words_.push_back(ranking.empty() ? std::string_view("0") : AddKey(std::move(ranking)));
  words_.push_back(Keep(std::to_string(ranked.Of(hash.window.kind))));
  const auto seconds = hash.window.kind == Window::Kind::kHour ? std::chrono::seconds(hash.kept).count() : 0;
  words_.push_back(Keep(std::to_string(seconds)));
  words_.push_back(WordOf(hash.window.kind));
  words_.push_back(hash.adjustment ? "1" : "0");
  const std::vector<ArticleDelta>& deltas = InOrder(hash);
  words_.push_back(Keep(std::to_string(lists_.AddArticles(deltas))));
  words_.push_back(Keep(std::to_string(lists_.AddViews(deltas))));
}

const std::vector<ArticleDelta>& PartArguments::InOrder(const HashDelta& hash) {
  constexpr auto kMax = static_cast<int64_t>(limits::kCountMax);
  for (const ArticleDelta& delta : hash.deltas) {
    VIEWCOUNT_CHECK(delta.views <= kMax && (hash.adjustment ? delta.views >= -kMax : delta.views > 0));
    VIEWCOUNT_CHECK(hash.adjustment || !delta.article_id.empty());
  }
  const auto before = [](const ArticleDelta& a, const ArticleDelta& b) { return a.article_id < b.article_id; };
  if (hash.adjustment || std::is_sorted(hash.deltas.begin(), hash.deltas.end(), before)) return hash.deltas;
  std::vector<ArticleDelta>& sorted = sorted_.emplace_back(hash.deltas);
  std::sort(sorted.begin(), sorted.end(), before);
  return sorted;
}

std::string_view PartArguments::AddKey(std::string key) {
  keys_.push_back(Keep(std::move(key)));
  return Keep(std::to_string(keys_.size()));
}

namespace {

// Returns the value that was meant for `field` of the hash with that number, or of a note if the number is 0.
std::optional<Quarantined> QuarantinedOf(const Part& part, size_t number, const std::string& field) {
  if (number == 0) {
    const auto note = std::find_if(part.notes.begin(), part.notes.end(),
                                   [&](const Note& candidate) { return candidate.field == field; });
    if (note == part.notes.end()) return std::nullopt;
    return Quarantined{keys::Notes(part.shard, note->site), field, 0, true};
  }
  const HashDelta& hash = part.hashes[number - 1];
  const auto delta = std::find_if(hash.deltas.begin(), hash.deltas.end(),
                                  [&](const ArticleDelta& candidate) { return candidate.article_id == field; });
  if (delta == hash.deltas.end()) return std::nullopt;
  return Quarantined{keys::Counts(part.shard, hash.site, hash.window), field, delta->views, hash.adjustment};
}

}  // namespace

absl::StatusOr<ApplyResult> ApplyResultOf(const Part& part, const Reply& reply) {
  const auto wrong = [] { return absl::DataLossError("apply: Redis answered something else"); };
  if (reply.elements.empty()) return wrong();
  ApplyResult result;
  if (reply.elements[0].text == "STORED") {
    if (reply.elements.size() > 1) result.stored = reply.elements[1].text;
    return result;
  }
  if (reply.elements[0].text == "CORRUPT") {
    return absl::DataLossError(fmt::format(
        "{} does not hold what was counted for lane {} as numbers; put them right, or remove it and have the audit say "
        "what is missing",
        keys::Totals(part.shard), ToHex(part.lane)));
  }
  if (reply.elements[0].text != "APPLIED") return wrong();
  result.applied = true;
  for (size_t i = 1; i + 1 < reply.elements.size(); i += 2) {
    const std::string& number = reply.elements[i].text;
    size_t index = 0;
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), index);
    if (error != std::errc() || index > part.hashes.size()) return wrong();
    auto aside = QuarantinedOf(part, index, reply.elements[i + 1].text);
    if (!aside) return wrong();
    result.set_aside.push_back(*std::move(aside));
  }
  return result;
}

}  // namespace viewcount
