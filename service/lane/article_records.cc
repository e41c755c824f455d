#include "service/lane/article_records.h"

#include <algorithm>
#include <new>
#include <type_traits>

#include "service/base/check.h"
#include "service/base/limits.h"

namespace viewcount {

ArticleRecords::~ArticleRecords() {
  static_assert(std::is_trivially_destructible_v<Article>);
  for (size_t i = 0; i < blocks_.size(); ++i) pool_.Give(blocks_[i], BytesOf(i));
  for (uint32_t* const page : pages_) pool_.Give(reinterpret_cast<char*>(page), kPageBytes);
}

void ArticleRecords::AddBlock() {
  VIEWCOUNT_CHECK(blocks_.size() < (size_t{1} << 32) / kBlockUnits);
  const size_t bytes = BytesOf(blocks_.size());
  blocks_.push_back(pool_.Take(bytes));
  bytes_ += bytes;
  // Place 0 means "no article", so the first unit of the first block stays unused.
  used_bytes_ = blocks_.size() == 1 ? kUnitBytes : 0;
}

uint32_t ArticleRecords::Append(SiteIndex site, uint64_t hash, std::string_view id) {
  static_assert(sizeof(Article) % kUnitBytes == 0 && alignof(Article) <= kUnitBytes);
  static_assert(sizeof(Article) + limits::kArticleIdBytesMax + kUnitBytes <= kFirstBlockBytes);
  const size_t bytes = (sizeof(Article) + id.size() + kUnitBytes - 1) / kUnitBytes * kUnitBytes;
  if (blocks_.empty() || used_bytes_ + bytes > BytesOf(blocks_.size() - 1)) AddBlock();
  if (size_ % kPagePlaces == 0) {
    pages_.push_back(reinterpret_cast<uint32_t*>(pool_.Take(kPageBytes)));
    bytes_ += kPageBytes;
  }
  const auto place = static_cast<uint32_t>((blocks_.size() - 1) * kBlockUnits + used_bytes_ / kUnitBytes);
  used_bytes_ += bytes;
  char* const address = AddressOf(place);
  char* const copy = address + sizeof(Article);
  std::copy(id.begin(), id.end(), copy);
  new (address)
      Article{.id = {copy, id.size()}, .hash = hash, .index = static_cast<uint32_t>(size_), .site = site, .delta = {}};
  pages_.back()[size_ % kPagePlaces] = place;
  ++size_;
  return place;
}

}  // namespace viewcount
