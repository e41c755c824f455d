// A browser's beacon: a request with one view, as count.js sends it. It is parsed in one pass over its bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "service/addresses/article_rule.h"
#include "service/visitors/viewer_traits.h"

namespace viewcount {

// A parsed beacon. Its fields refer to the bytes that it was parsed from.
struct Beacon {
  std::string_view site;
  // Either the article's ID or an address. The other one is empty.
  std::string_view article_id;
  std::string_view address;
  // The kind of `address`.
  AddressKind address_kind = AddressKind::kRequested;
  // The values of the header fields with these names. Empty if the field is absent.
  std::string_view origin;
  std::string_view referer;
  std::string_view agent;
  std::string_view forwarded_for;
  // Without a session.
  ViewerTraits traits;
  // The size of header and body.
  size_t bytes = 0;
};

// Parses the request at the beginning of `received`:
//
//   POST /v1/sites/SITE/views HTTP/1.1, fields, {"articleId":"ID"}
//
// The body may have `address` or `canonicalAddress` instead of `articleId`.
//
// Returns nothing for any other request, for an incomplete one, and for one that needs the general parser. These need
// it: a repeated field, and a field that frames the message in another way. So do a field that says that no person
// views the page yet, and a field that names the viewer. So do a User-Agent beyond limits::kAgentBytesMax, an escape,
// and a byte that is not ASCII.
//
// The general parser would interpret every accepted request in the same way.
std::optional<Beacon> ReadBeacon(std::string_view received);

}  // namespace viewcount
