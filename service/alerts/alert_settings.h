// The settings of alerts: their rules, and their form in the store.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <string_view>

#include "service/base/address_ranges.h"
#include "service/sites/site.h"
#include "viewcount/v1/alerts.pb.h"

namespace viewcount {

// Checks the settings of a request, and returns them in the form that is stored. An address is replaced by the article
// that it names. An empty address of a webhook or secret is replaced by that of `present`, which is null for a new
// alert. A new alert gets the time `now_unix_ms`, and so does the `watch_time` of one that watches something else now.
// Without a secret it gets none here.
//
// INVALID_ARGUMENT names the field. Thread-safe.
absl::StatusOr<v1::Alert> CheckedAlert(const v1::Alert& asked, const Site& site, const v1::Alert* present,
                                       const AddressRanges& private_addresses, int64_t now_unix_ms);

// Returns the text for the store, with the address and the secret.
std::string EncodeAlert(const v1::Alert& alert);
// Returns the alert of a text in the store; nothing for a text that is none.
std::optional<v1::Alert> ParseAlert(std::string_view text);

// Returns the alert as it may be shown: without the secret, and with the origin of the webhook in place of its address.
v1::Alert ShownAlert(v1::Alert alert);

}  // namespace viewcount
