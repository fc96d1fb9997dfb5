#include "judges/screen/embedding_cache.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "base/hash.h"

namespace safeguard::judges {
namespace {

// Layout: kMagic, then for each text its unit count (u32) and units (u32 begin, u32 end), then all
// embeddings (f32), then the BLAKE2b (64 hexadecimal digits) of everything before. Little endian.
// Raise the number in the magic whenever windows, pooling or layout change.
constexpr std::string_view kMagic = "safeguard-embeddings-1\n";
constexpr std::size_t kEntryBytesMax = 256 << 20;
constexpr std::size_t kDigestSize = 64;

void AppendBytes(std::string& out, const void* data, std::size_t size) {
  out.append(static_cast<const char*>(data), size);
}

// Reads plain values off the front; every read is checked.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool Read(void* to, std::size_t size) {
    if (size > bytes_.size()) {
      return false;
    }
    if (size == 0) {
      return true;  // `to` may be null then
    }
    std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
    return true;
  }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

bool ReadUnits(Reader& reader, std::size_t text_bytes, EmbeddedText& text) {
  std::uint32_t count = 0;
  if (!reader.Read(&count, sizeof count) || count > reader.left() / sizeof(TextUnit)) {
    return false;
  }
  text.units.resize(count);
  for (TextUnit& unit : text.units) {
    if (!reader.Read(&unit.begin, sizeof unit.begin) || !reader.Read(&unit.end, sizeof unit.end) ||
        unit.begin > unit.end || unit.end > text_bytes) {
      return false;
    }
  }
  return true;
}

bool ReadEmbeddings(Reader& reader, std::size_t hidden, EmbeddedText& text) {
  const std::size_t count = text.units.size() * hidden;
  if (count > reader.left() / sizeof(float)) {
    return false;
  }
  text.embeddings.resize(count);
  return reader.Read(text.embeddings.data(), count * sizeof(float));
}

}  // namespace

EmbeddingCache::EmbeddingCache(std::string folder, std::string model_hash)
    : folder_(std::move(folder)), model_hash_(std::move(model_hash)) {}

std::string EmbeddingCache::PathOf(std::span<const std::string_view> texts,
                                   std::size_t hidden) const {
  std::string key = model_hash_ + "/" + std::to_string(hidden);
  for (const std::string_view text : texts) {
    key += "/" + std::to_string(text.size()) + ":";
    key += text;
  }
  return folder_ + "/embeddings/" + Blake2bHex(key);
}

std::optional<std::vector<EmbeddedText>> EmbeddingCache::Find(
    std::span<const std::string_view> texts, std::size_t hidden) const {
  if (folder_.empty()) {
    return std::nullopt;
  }
  const Result<std::string> bytes = ReadFile(PathOf(texts, hidden), kEntryBytesMax);
  if (!bytes || bytes->size() < kMagic.size() + kDigestSize || !bytes->starts_with(kMagic)) {
    return std::nullopt;
  }
  const std::string_view body = std::string_view(*bytes).substr(0, bytes->size() - kDigestSize);
  if (Blake2bHex(body) != std::string_view(*bytes).substr(body.size())) {
    return std::nullopt;
  }
  Reader reader(body.substr(kMagic.size()));
  std::vector<EmbeddedText> embedded(texts.size());
  for (std::size_t t = 0; t < texts.size(); ++t) {
    if (!ReadUnits(reader, texts[t].size(), embedded[t])) {
      return std::nullopt;
    }
  }
  for (EmbeddedText& text : embedded) {
    if (!ReadEmbeddings(reader, hidden, text)) {
      return std::nullopt;
    }
  }
  return reader.left() == 0 ? std::optional(std::move(embedded)) : std::nullopt;
}

void EmbeddingCache::Store(std::span<const std::string_view> texts,
                           std::span<const EmbeddedText> embedded, std::size_t hidden) const {
  if (folder_.empty()) {
    return;
  }
  std::string bytes(kMagic);
  for (const EmbeddedText& text : embedded) {
    const auto count = static_cast<std::uint32_t>(text.units.size());
    AppendBytes(bytes, &count, sizeof count);
    for (const TextUnit& unit : text.units) {
      AppendBytes(bytes, &unit.begin, sizeof unit.begin);
      AppendBytes(bytes, &unit.end, sizeof unit.end);
    }
  }
  for (const EmbeddedText& text : embedded) {
    AppendBytes(bytes, text.embeddings.data(), text.embeddings.size() * sizeof(float));
  }
  if (bytes.size() + kDigestSize > kEntryBytesMax) {
    return;
  }
  bytes += Blake2bHex(bytes);
  std::error_code
      ignored;  // best effort: without the folder the write below fails, and that is fine
  std::filesystem::create_directories(folder_ + "/embeddings", ignored);
  static_cast<void>(WriteFileAtomically(PathOf(texts, hidden), bytes));
}

}  // namespace safeguard::judges
