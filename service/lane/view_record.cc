#include "service/lane/view_record.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "service/sites/settings_line.h"

namespace viewcount {
namespace {

// Numbers are little-endian, as on every machine this is built for.
static_assert(std::endian::native == std::endian::little);

// Receipt time and flags; behind them, if there are visits, how many bytes of bits follow, and these.
constexpr size_t kHeadBytes = sizeof(int64_t) + 1;
constexpr char kHasVisits = 1;
constexpr size_t kVisitsSizeBytes = sizeof(uint16_t);

constexpr size_t BitmapBytes(size_t views) { return (views + 7) / 8; }
static_assert(BitmapBytes(limits::kBatchViewsMax) <= 0xffff);

absl::Status Broken(const char* what) {
  return absl::DataLossError(std::string("the journal holds a record of ") + what + " that nobody wrote");
}

// Takes a line off the front of `text`.
std::string_view TakeLine(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

}  // namespace

size_t ViewsHead::BytesMax(size_t views) { return kHeadBytes + kVisitsSizeBytes + BitmapBytes(views); }

void ViewsHead::EncodeTo(std::string& text) const {
  text.assign(reinterpret_cast<const char*>(&receipt_unix_ms), sizeof(receipt_unix_ms));
  text.push_back(visits.empty() ? 0 : kHasVisits);
  if (visits.empty()) return;
  const auto size = static_cast<uint16_t>(visits.size());
  text.append(reinterpret_cast<const char*>(&size), kVisitsSizeBytes).append(visits);
}

absl::StatusOr<ViewsPayload> ParseViewsPayload(std::string_view payload) {
  if (payload.size() < kHeadBytes) return Broken("views");
  ViewsPayload parsed;
  std::memcpy(&parsed.head.receipt_unix_ms, payload.data(), sizeof(parsed.head.receipt_unix_ms));
  const char flags = payload[kHeadBytes - 1];
  payload.remove_prefix(kHeadBytes);
  if ((flags & ~kHasVisits) != 0) return Broken("views");
  if (flags != 0) {
    uint16_t size = 0;
    if (payload.size() < kVisitsSizeBytes) return Broken("views");
    std::memcpy(&size, payload.data(), kVisitsSizeBytes);
    payload.remove_prefix(kVisitsSizeBytes);
    if (size == 0 || payload.size() < size) return Broken("views");
    parsed.head.visits = payload.substr(0, size);
    payload.remove_prefix(size);
  }
  parsed.request = payload;
  return parsed;
}

void EncodeVisits(std::span<const DecodedView> views, std::string& visits) {
  visits.clear();
  for (size_t i = 0; i < views.size(); ++i) {
    if (!views[i].begins_visit) continue;
    if (visits.empty()) visits.resize(BitmapBytes(views.size()));
    visits[i / 8] = static_cast<char>(visits[i / 8] | 1 << i % 8);
  }
}

absl::Status ApplyVisits(std::string_view visits, std::span<DecodedView> views) {
  if (visits.empty()) return absl::OkStatus();
  if (visits.size() != BitmapBytes(views.size())) return Broken("views");
  for (size_t i = 0; i < views.size(); ++i) views[i].begins_visit = (visits[i / 8] >> i % 8 & 1) != 0;
  return absl::OkStatus();
}

// Lines: names, zones, origins and articles' IDs hold no control characters.
std::string EncodeSite(const Site& site) {
  std::string text = site.name + "\n" + EncodeSettings({site.time_zone, site.allowed_origins}) + "\n";
  for (const auto& [from, alias] : site.alias_entries()) {
    text += from + "\n" + alias.into + "\n" + std::to_string(alias.unix_ms) + "\n";
  }
  return text;
}

absl::StatusOr<Site> ParseSite(std::string_view payload) {
  const std::string_view name = TakeLine(payload);
  const SiteSettings settings = ParseSettings(TakeLine(payload));
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
  auto site = MakeSite(name, settings.time_zone, settings.allowed_origins);
  if (site.ok()) site->SetAliases(std::move(aliases));
  return site;
}

static_assert(sizeof(JournaledTotals) == 8 + 8 * limits::kShards, "written as it is");

std::string EncodeTotals(const JournaledTotals& totals) {
  return {reinterpret_cast<const char*>(&totals), sizeof(totals)};
}

absl::StatusOr<JournaledTotals> ParseTotals(std::string_view payload) {
  JournaledTotals totals;
  if (payload.size() != sizeof(totals)) return Broken("totals");
  std::memcpy(&totals, payload.data(), sizeof(totals));
  return totals;
}

}  // namespace viewcount
