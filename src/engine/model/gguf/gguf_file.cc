#include "engine/model/gguf/gguf_file.h"

#include <algorithm>
#include <utility>

#include "engine/model/gguf/gguf_cursor.h"
#include "engine/model/safetensors_header.h"

namespace safeguard::engine {
namespace {

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
constexpr const char* kHint = "download or convert the file again";
constexpr std::uint64_t kAlignmentDefault = 32;
constexpr std::uint64_t kAlignmentMax = 1 << 20;
constexpr std::size_t kValueBytesMin = 8 + 4 + 1;           // length of the key, type, one byte
constexpr std::size_t kTensorBytesMin = 8 + 4 + 8 + 4 + 8;  // with one dimension

// Reads the header; `problem` says what is wrong once a step has returned false.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes), cursor_(bytes) {}

  bool ReadCounts();
  bool ReadMetadata();
  bool ReadTensors();
  bool PlaceTensors();

  std::string problem;
  std::uint32_t version = 0;
  std::vector<GgufValue> metadata;
  std::vector<StoredTensor> tensors;

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::optional<std::uint64_t> bytes;  // nothing: a type whose size we do not know
  };

  bool Stop(std::string what) {
    problem = std::move(what);
    return false;
  }
  bool CutOff() { return Stop("cut off inside the header, at byte " + Position()); }
  [[nodiscard]] std::string Position() const { return std::to_string(cursor_.position()); }
  bool ReadName(std::string_view& name);
  bool ReadType(GgufType& type);
  bool ReadValue(GgufValue& value);
  bool SkipArray(GgufType element, std::uint64_t count, int depth);
  bool ReadTensor();
  bool ReadAlignment();
  bool CheckOverlaps();

  std::span<const std::byte> bytes_;
  GgufCursor cursor_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t metadata_count_ = 0;
  std::uint64_t alignment_ = kAlignmentDefault;
  std::uint64_t data_begin_ = 0;
  std::vector<Place> places_;
};

bool Reader::ReadCounts() {
  std::uint32_t magic = 0;
  if (!cursor_.ReadU32(magic) || magic != kMagic) {
    return Stop("not a GGUF file");
  }
  if (!cursor_.ReadU32(version)) {
    return CutOff();
  }
  if (version != 2 && version != 3) {
    const bool swapped = (version & 0xFFFFU) == 0;
    return Stop(swapped ? "a big-endian GGUF file, which is not supported"
                        : "GGUF version " + std::to_string(version) +
                              " is not supported (2 and 3 are)");
  }
  if (!cursor_.ReadU64(tensor_count_) || !cursor_.ReadU64(metadata_count_)) {
    return CutOff();
  }
  if (tensor_count_ > kGgufTensorsMax || metadata_count_ > kGgufMetadataMax) {
    return Stop("the header counts " + std::to_string(tensor_count_) + " tensors and " +
                std::to_string(metadata_count_) + " keys, more than the limits of " +
                std::to_string(kGgufTensorsMax) + " and " + std::to_string(kGgufMetadataMax));
  }
  if (metadata_count_ * kValueBytesMin + tensor_count_ * kTensorBytesMin > cursor_.left()) {
    return Stop("cut off: the header counts " + std::to_string(tensor_count_) + " tensors and " +
                std::to_string(metadata_count_) + " keys, and the file has " +
                std::to_string(bytes_.size()) + " bytes");
  }
  return true;
}

bool Reader::ReadName(std::string_view& name) {
  const std::string at = Position();
  if (!cursor_.ReadString(name)) {
    return CutOff();
  }
  if (name.empty() || name.size() > kGgufNameBytesMax) {
    return Stop("a name of " + std::to_string(name.size()) + " bytes at byte " + at);
  }
  return true;
}

bool Reader::ReadType(GgufType& type) {
  std::uint32_t number = 0;
  const std::string at = Position();
  if (!cursor_.ReadU32(number)) {
    return CutOff();
  }
  if (number >= kGgufTypes) {
    return Stop("metadata type " + std::to_string(number) + " at byte " + at + " is unknown");
  }
  type = static_cast<GgufType>(number);
  return true;
}

bool Reader::ReadMetadata() {
  metadata.reserve(static_cast<std::size_t>(metadata_count_));
  for (std::uint64_t i = 0; i < metadata_count_; ++i) {
    GgufValue value;
    if (!ReadName(value.key) || !ReadType(value.type) || !ReadValue(value)) {
      if (!value.key.empty()) {
        problem = "key " + QuoteName(value.key) + ": " + problem;
      }
      return false;
    }
    metadata.push_back(value);
  }
  std::ranges::sort(metadata, {}, &GgufValue::key);
  const auto twice = std::ranges::adjacent_find(metadata, {}, &GgufValue::key);
  if (twice != metadata.end()) {
    return Stop("key " + QuoteName(twice->key) + " appears twice");
  }
  return true;
}

bool Reader::ReadValue(GgufValue& value) {
  if (value.type == GgufType::kString) {
    std::string_view text;
    if (!cursor_.ReadString(text)) {
      return CutOff();
    }
    value.bytes = bytes_.subspan(cursor_.position() - text.size(), text.size());
    return true;
  }
  if (value.type == GgufType::kArray) {
    if (!ReadType(value.element)) {
      return false;
    }
    if (!cursor_.ReadU64(value.count)) {
      return CutOff();
    }
    const std::size_t begin = cursor_.position();
    if (!SkipArray(value.element, value.count, 1)) {
      return false;
    }
    value.bytes = bytes_.subspan(begin, cursor_.position() - begin);
    return true;
  }
  const std::size_t begin = cursor_.position();
  if (!cursor_.Skip(BytesPerValue(value.type))) {
    return CutOff();
  }
  value.bytes = bytes_.subspan(begin, cursor_.position() - begin);
  return true;
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by kGgufNestingMax
bool Reader::SkipArray(GgufType element, std::uint64_t count, int depth) {
  const std::size_t each = BytesPerValue(element);
  if (each > 0) {
    return count <= cursor_.left() / each && cursor_.Skip(count * each) ? true : CutOff();
  }
  if (count > kGgufStringsMax) {
    return Stop("an array of " + std::to_string(count) + " elements, more than the limit of " +
                std::to_string(kGgufStringsMax));
  }
  if (element == GgufType::kArray && depth >= kGgufNestingMax) {
    return Stop("arrays nested deeper than " + std::to_string(kGgufNestingMax));
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view text;
    if (element == GgufType::kString) {
      if (!cursor_.ReadString(text)) {
        return CutOff();
      }
      continue;
    }
    GgufType inner{};
    std::uint64_t inner_count = 0;
    if (!ReadType(inner)) {
      return false;
    }
    if (!cursor_.ReadU64(inner_count)) {
      return CutOff();
    }
    if (!SkipArray(inner, inner_count, depth + 1)) {
      return false;
    }
  }
  return true;
}

bool Reader::ReadTensors() {
  tensors.reserve(static_cast<std::size_t>(tensor_count_));
  for (std::uint64_t i = 0; i < tensor_count_; ++i) {
    if (!ReadTensor()) {
      if (tensors.size() > i) {
        problem = "tensor " + QuoteName(tensors.back().name) + ": " + problem;
      }
      return false;
    }
  }
  return true;
}

bool Reader::ReadTensor() {
  std::string_view name;
  std::uint32_t dimensions = 0;
  if (!ReadName(name)) {
    return false;
  }
  StoredTensor& tensor = tensors.emplace_back();
  tensor.name = name;
  if (!cursor_.ReadU32(dimensions)) {
    return CutOff();
  }
  if (dimensions == 0 || dimensions > kGgufDimensionsMax) {
    return Stop(std::to_string(dimensions) + " dimensions, not from 1 to 4");
  }
  tensor.shape.resize(dimensions);
  std::uint64_t elements = 1;
  for (std::size_t d = dimensions; d-- > 0;) {  // the innermost is written first
    if (!cursor_.ReadU64(tensor.shape[d])) {
      return CutOff();
    }
    if (__builtin_mul_overflow(elements, tensor.shape[d], &elements)) {
      return Stop("its shape is too large");
    }
  }
  std::uint32_t type_id = 0;
  Place place;
  if (!cursor_.ReadU32(type_id) || !cursor_.ReadU64(place.offset)) {
    return CutOff();
  }
  const GgmlType type = GgmlTypeOf(type_id);
  tensor.type = type.stored;
  tensor.type_name = NameOf(type);
  if (type.block > 0) {
    std::uint64_t bytes = 0;
    if (tensor.shape.back() % type.block != 0) {
      return Stop("rows of " + std::to_string(tensor.shape.back()) + " are no whole " +
                  tensor.type_name + " blocks of " + std::to_string(type.block));
    }
    if (__builtin_mul_overflow(elements / type.block, std::uint64_t{type.block_bytes}, &bytes)) {
      return Stop("its shape is too large");
    }
    place.bytes = bytes;
  }
  places_.push_back(place);
  return true;
}

bool Reader::ReadAlignment() {
  const auto found = std::ranges::lower_bound(metadata, std::string_view("general.alignment"), {},
                                              &GgufValue::key);
  if (found == metadata.end() || found->key != "general.alignment") {
    return true;
  }
  const std::optional<std::int64_t> value = WholeOf(*found);
  if (!value || *value < 1 || static_cast<std::uint64_t>(*value) > kAlignmentMax ||
      (*value & (*value - 1)) != 0) {
    return Stop("'general.alignment' is not a power of two up to " + std::to_string(kAlignmentMax));
  }
  alignment_ = static_cast<std::uint64_t>(*value);
  return true;
}

bool Reader::PlaceTensors() {
  if (!ReadAlignment()) {
    return false;
  }
  data_begin_ = (cursor_.position() + alignment_ - 1) / alignment_ * alignment_;
  const std::uint64_t data_bytes =
      bytes_.size() - std::min<std::uint64_t>(data_begin_, bytes_.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Place& place = places_[i];
    const std::string tensor = "tensor " + QuoteName(tensors[i].name);
    if (place.offset % alignment_ != 0) {
      return Stop(tensor + " begins at data byte " + std::to_string(place.offset) +
                  ", which is not aligned to " + std::to_string(alignment_));
    }
    const std::uint64_t bytes = place.bytes.value_or(0);
    if (place.offset > data_bytes || bytes > data_bytes - place.offset) {
      return Stop("cut off: " + tensor + " takes " + std::to_string(bytes) +
                  " bytes from data byte " + std::to_string(place.offset) + ", and there are " +
                  std::to_string(data_bytes));
    }
    if (bytes > 0) {
      tensors[i].bytes = bytes_.subspan(static_cast<std::size_t>(data_begin_ + place.offset),
                                        static_cast<std::size_t>(bytes));
    }
  }
  return CheckOverlaps();
}

bool Reader::CheckOverlaps() {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].bytes.empty()) {
      order.push_back(i);
    }
  }
  std::ranges::sort(order, {}, [this](std::size_t i) { return places_[i].offset; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Place& before = places_[order[i - 1]];
    if (before.offset + *before.bytes > places_[order[i]].offset) {
      return Stop("tensor " + QuoteName(tensors[order[i]].name) + " overlaps " +
                  QuoteName(tensors[order[i - 1]].name));
    }
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<GgufFile>> GgufFile::Open(const std::string& path) {
  Result<std::unique_ptr<MappedFile>> file = MappedFile::Open(path);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  Result<std::unique_ptr<GgufFile>> read = Read(path, (*file)->bytes());
  if (read) {
    (*read)->file_ = std::move(*file);
  }
  return read;
}

Result<std::unique_ptr<GgufFile>> GgufFile::Read(std::string path,
                                                 std::span<const std::byte> bytes) {
  Reader reader(bytes);
  if (!reader.ReadCounts() || !reader.ReadMetadata() || !reader.ReadTensors() ||
      !reader.PlaceTensors()) {
    return Fail(ErrorCode::kCorruptFile, path + ": " + reader.problem, kHint);
  }
  auto read = std::unique_ptr<GgufFile>(new GgufFile());
  read->path_ = std::move(path);
  read->bytes_ = bytes;
  read->version_ = reader.version;
  read->metadata_ = std::move(reader.metadata);
  read->tensors_ = std::move(reader.tensors);
  return read;
}

const GgufValue* GgufFile::Find(std::string_view key) const {
  const auto found = std::ranges::lower_bound(metadata_, key, {}, &GgufValue::key);
  return found != metadata_.end() && found->key == key ? &*found : nullptr;
}

}  // namespace safeguard::engine
