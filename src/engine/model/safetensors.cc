#include "engine/model/safetensors.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "engine/model/safetensors_header.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr const char* kHint = "download or convert the file again";

std::string ShapeText(std::span<const std::uint64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

// Nothing when the product does not fit.
std::optional<std::uint64_t> BytesOf(const TensorEntry& entry) {
  std::uint64_t bytes = BytesPerElement(entry.dtype);
  for (const std::uint64_t dimension : entry.shape) {
    if (__builtin_mul_overflow(bytes, dimension, &bytes)) {
      return std::nullopt;
    }
  }
  return bytes;
}

// Sorts `entries` by place and demands that they cover [0, data_bytes) once, as the format does.
// What is wrong, or an empty string.
std::string CheckPlaces(std::vector<TensorEntry>& entries, std::uint64_t data_bytes) {
  for (const TensorEntry& entry : entries) {
    if (entry.begin > entry.end || entry.end > data_bytes) {
      return "tensor " + QuoteName(entry.name) + " lies outside the file (bytes " +
             std::to_string(entry.begin) + " to " + std::to_string(entry.end) + " of " +
             std::to_string(data_bytes) + ")";
    }
    const std::optional<std::uint64_t> bytes = BytesOf(entry);
    if (!bytes || *bytes != entry.end - entry.begin) {
      return "tensor " + QuoteName(entry.name) + ": " + ToString(entry.dtype) + " of shape " +
             ShapeText(entry.shape) + " does not take its " +
             std::to_string(entry.end - entry.begin) + " bytes";
    }
  }
  std::ranges::stable_sort(entries, [](const TensorEntry& a, const TensorEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t end = 0;
  for (const TensorEntry& entry : entries) {
    if (entry.begin != end) {
      return "tensor " + QuoteName(entry.name) +
             (entry.begin < end ? " overlaps the one before it" : " leaves a gap before it");
    }
    end = entry.end;
  }
  return end == data_bytes ? "" : "bytes after the last tensor belong to none";
}

std::uint64_t LittleEndian64(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return value;
}

}  // namespace

std::size_t BytesPerElement(Dtype dtype) {
  switch (dtype) {
    case Dtype::kBool:
    case Dtype::kU8:
    case Dtype::kI8:
    case Dtype::kF8E4M3:
    case Dtype::kF8E5M2:
      return 1;
    case Dtype::kU16:
    case Dtype::kI16:
    case Dtype::kF16:
    case Dtype::kBF16:
      return 2;
    case Dtype::kU32:
    case Dtype::kI32:
    case Dtype::kF32:
      return 4;
    case Dtype::kU64:
    case Dtype::kI64:
    case Dtype::kF64:
      return 8;
  }
  return 0;
}

Result<std::unique_ptr<Safetensors>> Safetensors::Open(const std::string& path) {
  Result<std::unique_ptr<MappedFile>> file = MappedFile::Open(path);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  Result<std::unique_ptr<Safetensors>> read = Read(path, (*file)->bytes());
  if (read) {
    (*read)->file_ = std::move(*file);
  }
  return read;
}

Result<std::unique_ptr<Safetensors>> Safetensors::Read(std::string path,
                                                       std::span<const std::byte> bytes) {
  const auto corrupt = [&path](const std::string& why) {
    return Fail(ErrorCode::kCorruptFile, path + ": " + why, kHint);
  };
  if (bytes.size() < kLengthBytes) {
    return corrupt("too short to be a safetensors file");
  }
  const std::uint64_t header_bytes = LittleEndian64(bytes);
  if (header_bytes > kSafetensorsHeaderBytesMax) {
    return corrupt("not a safetensors file, or its header is longer than the format's 100 MB");
  }
  if (header_bytes > bytes.size() - kLengthBytes) {
    return corrupt("cut off inside the header");
  }
  const char* json = reinterpret_cast<const char*>(bytes.data()) + kLengthBytes;
  if (header_bytes == 0 || json[0] != '{') {
    return corrupt("the header does not begin with '{'");
  }
  Result<std::vector<TensorEntry>> entries = ReadSafetensorsHeader({json, header_bytes});
  if (!entries) {
    return corrupt(entries.error().message);
  }
  auto read = std::unique_ptr<Safetensors>(new Safetensors());
  read->path_ = path;
  read->bytes_ = bytes;
  read->data_ = bytes.subspan(kLengthBytes + header_bytes);
  read->entries_ = std::move(*entries);
  for (const TensorEntry& entry : read->entries_) {
    if (entry.end > read->data_.size()) {
      return corrupt("cut off: tensor " + QuoteName(entry.name) + " ends at data byte " +
                     std::to_string(entry.end) + " of " + std::to_string(read->data_.size()));
    }
  }
  if (const std::string why = CheckPlaces(read->entries_, read->data_.size()); !why.empty()) {
    return corrupt(why);
  }
  for (const TensorEntry& entry : read->entries_) {
    read->by_name_.push_back(&entry);
  }
  std::ranges::sort(read->by_name_, {}, &TensorEntry::name);
  const auto twice = std::ranges::adjacent_find(read->by_name_, {}, &TensorEntry::name);
  if (twice != read->by_name_.end()) {
    return corrupt("tensor " + QuoteName((*twice)->name) + " appears twice");
  }
  return read;
}

Result<Tensor> Safetensors::Find(std::string_view name, std::initializer_list<Dtype> dtypes,
                                 std::initializer_list<std::uint64_t> shape) const {
  const auto found = std::ranges::lower_bound(
      by_name_, name, {}, [](const TensorEntry* entry) -> std::string_view { return entry->name; });
  if (found == by_name_.end() || (*found)->name != name) {
    return Fail(ErrorCode::kCorruptFile, path_ + ": tensor " + QuoteName(name) + " is missing",
                "is this the right model?");
  }
  const TensorEntry& entry = **found;
  if (std::ranges::find(dtypes, entry.dtype) == dtypes.end()) {
    std::string wanted;
    for (const Dtype dtype : dtypes) {
      wanted += (wanted.empty() ? "" : ", ") + std::string(ToString(dtype));
    }
    return Fail(ErrorCode::kCorruptFile,
                path_ + ": tensor " + QuoteName(name) + " is " + ToString(entry.dtype) +
                    ", wanted " + wanted,
                "convert the model to one of these types");
  }
  if (!std::ranges::equal(entry.shape, shape)) {
    return Fail(ErrorCode::kCorruptFile,
                path_ + ": tensor " + QuoteName(name) + " has shape " + ShapeText(entry.shape) +
                    ", wanted " + ShapeText({shape.begin(), shape.size()}),
                "does config.json belong to this file?");
  }
  return Tensor{&entry, data_.subspan(entry.begin, entry.end - entry.begin)};
}

}  // namespace safeguard::engine
