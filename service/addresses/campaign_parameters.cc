#include "service/addresses/campaign_parameters.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <array>
#include <string>

namespace viewcount {
namespace {

// The beginnings of names: Google Analytics, Matomo and Piwik, Piwik PRO, HubSpot, Google Ads, Facebook, Marketo.
constexpr std::array<std::string_view, 13> kBeginnings = {
    "__hs", "_hs", "fb_", "gad_", "hsa_", "matomo_", "mkt_tok", "mtm_", "piwik_", "pk_", "utm_", "vero_", "zarsrc"};

// In ascending order: identifiers of clicks, mailings and sessions. Networks document their own ones, such as Google
// its gclid and Meta its fbclid.
constexpr std::array<std::string_view, 41> kNames = {"_branch_match_id",
                                                     "_ga",
                                                     "_gl",
                                                     "_kx",
                                                     "_openstat",
                                                     "dclid",
                                                     "dm_i",
                                                     "ef_id",
                                                     "epik",
                                                     "fbclid",
                                                     "gbraid",
                                                     "gclid",
                                                     "gclsrc",
                                                     "hsctatracking",
                                                     "igsh",
                                                     "igshid",
                                                     "irclickid",
                                                     "jsessionid",
                                                     "li_fat_id",
                                                     "mc_cid",
                                                     "mc_eid",
                                                     "ml_subscriber",
                                                     "msclkid",
                                                     "oly_anon_id",
                                                     "oly_enc_id",
                                                     "phpsessid",
                                                     "rb_clickid",
                                                     "rdt_cid",
                                                     "s_cid",
                                                     "s_kwcid",
                                                     "sccid",
                                                     "scid",
                                                     "srsltid",
                                                     "ttclid",
                                                     "twclid",
                                                     "wbraid",
                                                     "wickedid",
                                                     "wt_mc",
                                                     "yclid",
                                                     "ymclid",
                                                     "zanpid"};
static_assert(std::ranges::is_sorted(kNames));

}  // namespace

bool IsCampaignParameter(std::string_view name) {
  const std::string small = absl::AsciiStrToLower({name.data(), name.size()});
  return std::ranges::binary_search(kNames, std::string_view(small)) ||
         std::ranges::any_of(kBeginnings, [&](std::string_view beginning) { return small.starts_with(beginning); });
}

}  // namespace viewcount
