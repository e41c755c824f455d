#include "service/http/reader_rules.h"

#include <fmt/format.h>

namespace viewcount {

bool IsFromAnotherSite(const HttpRequest& request) {
  const std::string_view from = request["Sec-Fetch-Site"];
  return !from.empty() && from != "same-origin" && from != "none";
}

absl::Status CheckReader(const HttpRequest& request, const ReaderParts& parts, std::string_view what) {
  if (parts.own_pages != nullptr) return parts.own_pages->CheckRead(request);
  // A browser sends no Origin with the GET of an image or a link, so this is refused at both addresses.
  if (IsFromAnotherSite(request)) return absl::PermissionDeniedError("only this server's own pages may ask here");
  if (parts.trust == nullptr || parts.trust->Find(request, request.peer).trusted_backend) return absl::OkStatus();
  return absl::PermissionDeniedError(
      fmt::format("only the portal's own servers may ask for {}, and this request was forwarded or sent by a browser; "
                  "ask at the admin address (--admin-address of viewcountd), which takes forwarded requests",
                  what));
}

}  // namespace viewcount
