#include "service/lane/view_record.h"

#include <algorithm>
#include <charconv>

#include "service/base/little_endian.h"
#include "service/sites/site_settings.h"
#include "service/sites/stored_site.h"

namespace viewcount {
namespace {

using little_endian::Append, little_endian::Take;

// The receipt time and the flags. For each flag that is set, in this order, the size of a bitmap and the bitmap follow.
constexpr size_t kHeadBytes = sizeof(uint64_t) + 1;
constexpr char kHasVisits = 1;
constexpr char kHasCoolDowns = 2;
constexpr size_t kBitsSizeBytes = sizeof(uint16_t);

// The time, then the views of each shard.
constexpr size_t kTotalsBytes = sizeof(uint64_t) * (1 + limits::kShards);

constexpr size_t BitmapBytes(size_t views) { return (views + 7) / 8; }
static_assert(BitmapBytes(limits::kBatchViewsMax) <= 0xffff);

absl::Status Broken(const char* what) {
  return absl::DataLossError(std::string("the journal holds a record of ") + what + " that viewcountd did not write");
}

void SetBit(std::string& bits, size_t i) { bits[i / 8] = static_cast<char>(bits[i / 8] | 1 << i % 8); }
bool HasBit(std::string_view bits, size_t i) { return (bits[i / 8] >> i % 8 & 1) != 0; }

// Removes a size and a bitmap of that size from the front of `payload`. Returns false if they are not there.
bool TakeBits(std::string_view& payload, std::string_view& bits) {
  if (payload.size() < kBitsSizeBytes) return false;
  const size_t size = Take<uint16_t>(payload);
  if (size == 0 || payload.size() < size) return false;
  bits = payload.substr(0, size);
  payload.remove_prefix(size);
  return true;
}

// Removes a line from the front of `text` and returns it.
std::string_view TakeLine(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

}  // namespace

size_t ViewsHead::BytesMax(size_t views) { return kHeadBytes + 2 * (kBitsSizeBytes + BitmapBytes(views)); }

void ViewsHead::EncodeTo(std::string& text) const {
  text.clear();
  Append(text, static_cast<uint64_t>(receipt_unix_ms));
  text.push_back(static_cast<char>((visits.empty() ? 0 : kHasVisits) | (cool_downs.empty() ? 0 : kHasCoolDowns)));
  for (const std::string_view bits : {visits, cool_downs}) {
    if (bits.empty()) continue;
    Append(text, static_cast<uint16_t>(bits.size()));
    text.append(bits);
  }
}

absl::StatusOr<ViewsPayload> ParseViewsPayload(std::string_view payload) {
  if (payload.size() < kHeadBytes) return Broken("views");
  ViewsPayload parsed;
  parsed.head.receipt_unix_ms = static_cast<int64_t>(Take<uint64_t>(payload));
  const auto flags = static_cast<char>(Take<uint8_t>(payload));
  if ((flags & ~(kHasVisits | kHasCoolDowns)) != 0) return Broken("views");
  const bool whole = ((flags & kHasVisits) == 0 || TakeBits(payload, parsed.head.visits)) &&
                     ((flags & kHasCoolDowns) == 0 || TakeBits(payload, parsed.head.cool_downs));
  if (!whole) return Broken("views");
  parsed.request = payload;
  return parsed;
}

void EncodeVisits(std::span<const DecodedView> views, std::string& bits) {
  bits.clear();
  for (size_t i = 0; i < views.size(); ++i) {
    if (!views[i].begins_visit) continue;
    if (bits.empty()) bits.resize(BitmapBytes(views.size()));
    SetBit(bits, i);
  }
}

void EncodeCoolDowns(std::span<const DecodedView> views, std::string& bits) {
  bits.assign(BitmapBytes(views.size()), 0);
  for (size_t i = 0; i < views.size(); ++i) {
    if (views[i].too_soon()) SetBit(bits, i);
  }
}

absl::Status ApplyDecisions(const ViewsHead& head, std::span<DecodedView> views) {
  for (const std::string_view bits : {head.visits, head.cool_downs}) {
    if (!bits.empty() && bits.size() != BitmapBytes(views.size())) return Broken("views");
  }
  for (size_t i = 0; i < views.size(); ++i) {
    DecodedView& view = views[i];
    if (!head.visits.empty()) view.begins_visit = HasBit(head.visits, i);
    if (!head.cool_downs.empty() && view.by_known_viewer()) view.count = HasBit(head.cool_downs, i) ? 0 : 1;
  }
  return absl::OkStatus();
}

// The payload consists of lines, since names, zones, origins and article IDs contain no control characters.
std::string EncodeSite(const Site& site) {
  std::string text = site.name + "\n" + EncodeSettings(site.settings) + "\n";
  for (const auto& [from, alias] : site.alias_entries()) {
    text += from + "\n" + alias.into + "\n" + std::to_string(alias.unix_ms) + "\n";
  }
  return text;
}

absl::StatusOr<Site> ParseSite(std::string_view payload) {
  const std::string_view name = TakeLine(payload);
  SiteSettings settings = ParseSettings(TakeLine(payload));
  AliasEntries aliases;
  while (!payload.empty()) {
    const std::string_view from = TakeLine(payload);
    const std::string_view into = TakeLine(payload);
    const std::string_view time = TakeLine(payload);
    Alias alias{std::string(into), 0};
    const auto [stop, error] = std::from_chars(time.data(), time.data() + time.size(), alias.unix_ms);
    if (from.empty() || error != std::errc() || stop != time.data() + time.size()) return Broken("a site");
    aliases[std::string(from)] = std::move(alias);
  }
  auto site = MakeStoredSite(name, std::move(settings));
  if (site.ok()) site->SetAliases(std::move(aliases));
  return site;
}

std::string EncodeTotals(const JournaledTotals& totals) {
  std::string text;
  text.reserve(kTotalsBytes);
  Append(text, static_cast<uint64_t>(totals.unix_ms));
  for (const uint64_t views : totals.views) Append(text, views);
  return text;
}

absl::StatusOr<JournaledTotals> ParseTotals(std::string_view payload) {
  if (payload.size() != kTotalsBytes) return Broken("totals");
  JournaledTotals totals;
  totals.unix_ms = static_cast<int64_t>(Take<uint64_t>(payload));
  for (uint64_t& views : totals.views) views = Take<uint64_t>(payload);
  return totals;
}

}  // namespace viewcount
