// Provides a temporary file for one test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "service/base/check.h"

namespace viewcount::testing {

// Creates the file in the constructor and deletes it in the destructor.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) : path_(::testing::TempDir() + "viewcount_XXXXXX") {
    const int descriptor = mkstemp(path_.data());
    VIEWCOUNT_CHECK(descriptor >= 0);
    close(descriptor);
    Write(content);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  // Replaces the content of the file.
  void Write(std::string_view content) const {
    std::FILE* const file = std::fopen(path_.c_str(), "wb");
    VIEWCOUNT_CHECK(file != nullptr);
    VIEWCOUNT_CHECK(std::fwrite(content.data(), 1, content.size(), file) == content.size());
    VIEWCOUNT_CHECK(std::fclose(file) == 0);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Returns the text as one gzip member.
inline std::string Gzip(std::string_view text) {
  z_stream stream{};
  VIEWCOUNT_CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string bytes(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<unsigned char*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  VIEWCOUNT_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

// Returns the text as the program `gzip`, `bzip2`, `xz` or `zstd` compresses it.
inline std::string Compressed(const std::string& program, std::string_view text) {
  const TemporaryFile file(text);
  std::FILE* const pipe = popen((program + " -c " + file.path()).c_str(), "r");
  VIEWCOUNT_CHECK(pipe != nullptr);
  std::string bytes;
  char buffer[4'096];
  for (size_t count = 0; (count = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) bytes.append(buffer, count);
  VIEWCOUNT_CHECK(pclose(pipe) == 0);
  return bytes;
}

}  // namespace viewcount::testing
