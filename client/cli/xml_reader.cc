#include "client/cli/xml_reader.h"

#include <absl/strings/match.h>
#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "client/cli/xml_encoding.h"
#include "service/base/check.h"
#include "service/base/status.h"

namespace viewcount::cli {
namespace {

// Separates a namespace from a name. No address of a namespace may contain it.
constexpr char kSeparator = ' ';

struct Namespace {
  // Without http://, https:// and a slash at the end.
  std::string_view address;
  std::string_view prefix;
};
constexpr Namespace kNamespaces[] = {
    {"www.sitemaps.org/schemas/sitemap/0.9", ""},
    {"www.google.com/schemas/sitemap/0.84", ""},
    {"www.google.com/schemas/sitemap/0.9", ""},
    {"www.google.com/schemas/sitemap-news/0.9", "news:"},
    {"www.google.com/schemas/sitemap-image/1.1", "image:"},
    {"www.w3.org/2005/Atom", "atom:"},
    {"purl.org/rss/1.0", ""},
    {"my.netscape.com/rdf/simple/0.9", ""},
    {"channel.netscape.com/rdf/simple/0.9", ""},
    {"backend.userland.com/rss2", ""},
    {"www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf:"},
    {"purl.org/dc/elements/1.1", "dc:"},
    {"search.yahoo.com/mrss", "media:"},
    {"www.w3.org/XML/1998/namespace", "xml:"},
};

// Lets a map be searched without making a string.
struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};

std::string_view PrefixOf(std::string_view address) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (absl::StartsWith({address.data(), address.size()}, {scheme.data(), scheme.size()})) {
      address.remove_prefix(scheme.size());
    }
  }
  if (address.ends_with('/')) address.remove_suffix(1);
  const auto* known = std::ranges::find(kNamespaces, address, &Namespace::address);
  return known == std::end(kNamespaces) ? "?:" : known->prefix;
}

}  // namespace

std::string ShortXmlName(std::string_view name) {
  const size_t separator = name.find(kSeparator);
  if (separator == std::string_view::npos) return std::string(name);
  return std::string(PrefixOf(name.substr(0, separator))).append(name.substr(separator + 1));
}

std::string_view XmlAttributes::Find(std::string_view name) const {
  for (const char* const* entry = list_; *entry != nullptr; entry += 2) {
    if (ShortXmlName(entry[0]) == name) return entry[1];
  }
  return "";
}

struct XmlReader::State {
  explicit State(XmlHandler& its_handler) : handler(its_handler), parser(XML_ParserCreateNS(nullptr, kSeparator)) {
    VIEWCOUNT_CHECK(parser != nullptr);
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, OnStart, OnEnd);
    XML_SetCharacterDataHandler(parser, OnText);
    XML_SetNamespaceDeclHandler(parser, OnNamespace, nullptr);
    XML_SetEntityDeclHandler(parser, OnEntity);
    XML_SetSkippedEntityHandler(parser, OnSkippedEntity);
    XML_SetUnknownEncodingHandler(parser, OnEncoding, this);
  }
  ~State() { XML_ParserFree(parser); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Ends the reading because of the document.
  void Refuse(std::string_view problem) { Stop(absl::InvalidArgumentError(std::string(problem))); }
  void Stop(absl::Status reason) {
    if (reason.ok() || !error.ok()) return;
    error = std::move(reason);
    // The element that was refused, because the parser goes on to its end.
    position = Position();
    XML_StopParser(parser, XML_FALSE);
  }
  std::string Position() const {
    return fmt::format("line {}, column {}", XML_GetCurrentLineNumber(parser), XML_GetCurrentColumnNumber(parser) + 1);
  }
  // Takes note of a name. Returns its short form, or null if there are too many names.
  const std::string* Admit(std::string_view name) {
    if (const auto known = names.find(name); known != names.end()) return &known->second;
    if (names.size() < kXmlNamesMax) return &names.emplace(name, ShortXmlName(name)).first->second;
    Refuse(fmt::format("there are more than {} different names", kXmlNamesMax));
    return nullptr;
  }

  static State& Of(void* data) { return *static_cast<State*>(data); }
  static void OnStart(void* data, const char* name, const char** attributes) {
    State& state = Of(data);
    if (!state.error.ok()) return;
    for (const char** entry = attributes; *entry != nullptr; entry += 2) {
      if (state.Admit(*entry) == nullptr) return;
    }
    const std::string* const short_name = state.Admit(name);
    if (short_name == nullptr) return;
    if (++state.depth > kXmlDepthMax) {
      return state.Refuse(fmt::format("elements are nested deeper than {}", kXmlDepthMax));
    }
    state.Stop(state.handler.OnStart(*short_name, XmlAttributes(attributes, XML_GetCurrentLineNumber(state.parser))));
  }
  static void OnEnd(void* data, const char* name) {
    State& state = Of(data);
    if (!state.error.ok()) return;
    --state.depth;
    state.Stop(state.handler.OnEnd(state.names.find(std::string_view(name))->second));
  }
  static void OnText(void* data, const char* text, int bytes) {
    State& state = Of(data);
    if (state.error.ok()) state.handler.OnText({text, static_cast<size_t>(bytes)});
  }
  static void OnNamespace(void* data, const char* prefix, const char*) {
    if (prefix != nullptr && Of(data).error.ok()) static_cast<void>(Of(data).Admit(prefix));
  }
  static void OnEntity(void* data, const char* name, int, const char*, int, const char*, const char*, const char*,
                       const char*) {
    Of(data).Refuse(fmt::format("it declares the entity {}; documents with own entities are not read", name));
  }
  static void OnSkippedEntity(void* data, const char* name, int) {
    Of(data).Refuse(fmt::format("the entity {} is not defined in the document", name));
  }
  static int OnEncoding(void* data, const char* name, XML_Encoding* encoding) {
    const auto characters = CharactersOf(name);
    if (!characters) {
      Of(data).unknown_encoding = name;
      return XML_STATUS_ERROR;
    }
    std::ranges::copy(*characters, encoding->map);
    encoding->data = nullptr;
    encoding->convert = nullptr;
    encoding->release = nullptr;
    return XML_STATUS_OK;
  }

  XmlHandler& handler;
  const XML_Parser parser;
  // The short form of each name that was seen.
  std::unordered_map<std::string, std::string, NameHash, std::equal_to<>> names;
  size_t depth = 0;
  uint64_t bytes = 0;
  absl::Status error;
  std::string position;
  std::string unknown_encoding;
};

XmlReader::XmlReader(XmlHandler& handler) : state_(std::make_unique<State>(handler)) {}

XmlReader::~XmlReader() = default;

absl::Status XmlReader::Read(std::string_view piece) {
  // Small pieces, so that a token that is too long is noticed before it fills the memory.
  constexpr size_t kPieceBytes = 64 << 10;
  while (!piece.empty()) {
    const auto part = piece.substr(0, kPieceBytes);
    piece.remove_prefix(part.size());
    if (auto status = Parse(part, false); !status.ok()) return status;
    const auto read = XML_GetCurrentByteIndex(state_->parser);
    if (read >= 0 && state_->bytes > static_cast<uint64_t>(read) + kXmlTokenBytesMax) {
      return absl::InvalidArgumentError(
          fmt::format("{}: a tag or comment has more than {} bytes", state_->Position(), kXmlTokenBytesMax));
    }
  }
  return absl::OkStatus();
}

absl::Status XmlReader::Finish() { return Parse("", true); }

absl::Status XmlReader::Parse(std::string_view piece, bool last) {
  State& state = *state_;
  state.bytes += piece.size();
  const auto result = XML_Parse(state.parser, piece.data(), static_cast<int>(piece.size()), last ? 1 : 0);
  if (state.error.ok() && result == XML_STATUS_OK) return absl::OkStatus();
  if (!state.error.ok() && !absl::IsInvalidArgument(state.error)) return state.error;
  if (!state.error.ok()) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", state.position, ToStd(state.error.message())));
  }
  std::string problem;
  if (!state.unknown_encoding.empty()) {
    problem = fmt::format("the encoding {} is not known; convert the document to UTF-8", state.unknown_encoding);
  } else {
    problem = XML_ErrorString(XML_GetErrorCode(state.parser));
  }
  return absl::InvalidArgumentError(fmt::format("{}: {}", state.Position(), problem));
}

}  // namespace viewcount::cli
