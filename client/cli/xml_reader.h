// Reads XML as it arrives, in bounded memory. Feeds and sitemaps come from other programs, so the reader refuses what
// could harm: declared entities, very deep or very long elements, and endless numbers of names. It never loads
// anything.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace viewcount::cli {

// The depth of nested elements.
inline constexpr size_t kXmlDepthMax = 100;
// The size of a tag with its attributes, or of a comment. Expat holds it in memory. Texts may be of any size.
inline constexpr size_t kXmlTokenBytesMax = 1 << 20;
// The number of different names of elements, attributes and prefixes. Expat remembers each of them.
inline constexpr size_t kXmlNamesMax = 4'096;

// The attributes of an element. Valid during XmlHandler::OnStart.
class XmlAttributes {
 public:
  // `names_and_values` is a list as Expat has it. `line` is the line of the element.
  XmlAttributes(const char* const* names_and_values, uint64_t line) : list_(names_and_values), line_(line) {}

  // Returns the value of an attribute with a short name, such as `href` or `xml:lang`. Empty if there is none.
  std::string_view Find(std::string_view name) const;
  uint64_t line() const { return line_; }

 private:
  const char* const* list_;
  const uint64_t line_;
};

// Receives the parts of a document in their order. Names are short: `loc` for the elements of sitemaps and RSS,
// `atom:link`, `news:title`, `image:loc`, `dc:date`, `media:content` and `rdf:RDF`. The document's own prefixes do not
// matter. Elements of other namespaces begin with `?:`.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  // An error ends the reading. The reader adds the position to INVALID_ARGUMENT.
  virtual absl::Status OnStart(std::string_view name, const XmlAttributes& attributes) = 0;
  // A piece of text, in UTF-8. One text may come in several pieces.
  virtual void OnText(std::string_view text) = 0;
  // As OnStart.
  virtual absl::Status OnEnd(std::string_view name) = 0;
};

// Not thread-safe. The handler must outlive it.
class XmlReader {
 public:
  explicit XmlReader(XmlHandler& handler);
  ~XmlReader();
  XmlReader(const XmlReader&) = delete;
  XmlReader& operator=(const XmlReader&) = delete;

  // Reads the next piece, of any size. INVALID_ARGUMENT, with line and column, if it is no XML that this reader takes.
  // Returns the handler's errors. Must not be called after an error.
  absl::Status Read(std::string_view piece);
  // Must be called after the last piece. Returns the errors of Read.
  absl::Status Finish();

 private:
  struct State;
  absl::Status Parse(std::string_view piece, bool last);

  std::unique_ptr<State> state_;
};

// Returns the short form of a name as Expat has it: the namespace, a blank, and the local name. Thread-safe.
std::string ShortXmlName(std::string_view name);

}  // namespace viewcount::cli
