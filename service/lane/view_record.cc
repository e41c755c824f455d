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

std::array<char, ViewsHead::kBytes> ViewsHead::Encode() const {
  // The last byte is for flags; there are none yet.
  std::array<char, kBytes> bytes{};
  std::memcpy(bytes.data(), &receipt_unix_ms, sizeof(receipt_unix_ms));
  return bytes;
}

absl::StatusOr<ViewsPayload> ParseViewsPayload(std::string_view payload) {
  if (payload.size() < ViewsHead::kBytes || payload[ViewsHead::kBytes - 1] != 0) return Broken("views");
  ViewsPayload parsed;
  std::memcpy(&parsed.head.receipt_unix_ms, payload.data(), sizeof(parsed.head.receipt_unix_ms));
  parsed.request = payload.substr(ViewsHead::kBytes);
  return parsed;
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
