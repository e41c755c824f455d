// The normal form of the text between the separators of an address.
#pragma once

#include <string>
#include <string_view>

namespace viewcount {

// The part of an address that a text belongs to. Parts differ in the characters that stand for themselves.
enum class AddressPart {
  kPath,
  kFoldedPath,  // A path in which capital letters become small ones.
  kQuery,       // A name or value of the query. A + becomes an escaped space.
};

// Returns the normal form of `raw`, which may contain any bytes. Escapes of unreserved ASCII characters (RFC 3986) are
// decoded. So are escapes of printable characters beyond ASCII that are valid UTF-8. Everything else that may not occur
// in an URI is escaped, with digits in upper case. The text between escapes is in Unicode's normal form C (Unicode
// Standard Annex 15). The function is idempotent. Pure function; thread-safe.
std::string NormalText(std::string_view raw, AddressPart part);

}  // namespace viewcount
