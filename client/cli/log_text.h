// Pieces of text that all formats of logs share: words, quoted fields, and escapes. Pure functions, so they are
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace viewcount::cli {

bool IsDecimal(char c);
// Returns true for at least one digit and nothing else.
bool IsDecimalNumber(std::string_view text);
// Returns the value of a hexadecimal digit, or -1.
int HexDigit(char c);
// Compares without regard to the case of ASCII letters.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);
// Removes blanks, tabs and carriage returns at both ends.
std::string_view Trim(std::string_view text);

// Removes the text up to `separator`, and the separator, from the front of `rest`. Returns the text.
std::string_view TakeUntil(std::string_view& rest, char separator);
// Removes a quoted field and one blank after it from the front of `rest`. Returns its content with its escapes.
// Returns nothing if `rest` does not begin with a complete quoted field.
std::optional<std::string_view> TakeQuoted(std::string_view& rest);

// Parses an HTTP status of three digits. Returns 0 for any other text.
int StatusOf(std::string_view text);

// Replaces `to` by `text` without the escapes that Apache and nginx write: \xNN, \uNNNN, \", \\, \/, \t and others.
// An unknown escape stays as it is.
void Unescape(std::string_view text, std::string& to);
// Replaces `to` by `text` with %NN decoded. An incomplete escape stays as it is.
void DecodePercent(std::string_view text, std::string& to);

// Divides a request line such as `GET /a HTTP/1.1` into its method and target, and removes their escapes. Anything that
// is no request line, such as `-`, becomes a method without a target.
void SplitRequestLine(std::string_view line, std::string& method, std::string& target);

}  // namespace viewcount::cli
