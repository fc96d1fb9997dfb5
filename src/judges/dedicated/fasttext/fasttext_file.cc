#include "judges/dedicated/fasttext/fasttext_file.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <unordered_set>

namespace safeguard::judges {
namespace {

constexpr std::int32_t kMagic = 793712314;
constexpr std::int32_t kVersion = 12;
constexpr std::int32_t kSoftmax = 3;
constexpr std::int32_t kSupervised = 3;
constexpr std::int32_t kNgramsMax = 10;

std::unexpected<Error> Bad(const std::string& what) {
  return Fail(ErrorCode::kCorruptFile, "the word model in it is damaged: " + what,
              "train it again, or install a good copy");
}

// Takes numbers off the front; after the end everything is 0 and `ok` false.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Take() {
    T value{};
    if (bytes_.size() < sizeof(T)) {
      ok_ = false;
      bytes_ = {};
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }

  // Up to a NUL; empty at the end.
  std::string_view Word() {
    const std::size_t end = bytes_.substr(0, kFastTextWordBytesMax + 1).find('\0');
    if (end == std::string_view::npos) {
      ok_ = false;
      return {};
    }
    const std::string_view word = bytes_.substr(0, end);
    bytes_.remove_prefix(end + 1);
    return word;
  }

  [[nodiscard]] std::string_view rest() const { return bytes_; }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

struct Shape {
  std::int64_t dimension = 0;
  std::int64_t bucket = 0;
  std::int64_t words = 0;
};

Status TakeSettings(Cursor& cursor, Shape& shape) {
  if (cursor.Take<std::int32_t>() != kMagic || cursor.Take<std::int32_t>() != kVersion) {
    return Bad("it does not begin as a fastText model of format 12");
  }
  shape.dimension = cursor.Take<std::int32_t>();
  for (int skipped = 0; skipped < 4; ++skipped) {  // ws, epoch, minCount, neg: of training alone
    cursor.Take<std::int32_t>();
  }
  const auto word_ngrams = cursor.Take<std::int32_t>();
  const auto loss = cursor.Take<std::int32_t>();
  const auto model = cursor.Take<std::int32_t>();
  shape.bucket = cursor.Take<std::int32_t>();
  const auto shortest = cursor.Take<std::int32_t>();
  const auto longest = cursor.Take<std::int32_t>();
  cursor.Take<std::int32_t>();  // lrUpdateRate
  const auto sampling = cursor.Take<double>();
  const bool sound = cursor.ok() && shape.dimension >= 1 &&
                     shape.dimension <= static_cast<std::int64_t>(kFastTextDimensionMax) &&
                     word_ngrams >= 1 && word_ngrams <= kNgramsMax && loss == kSoftmax &&
                     model == kSupervised && shape.bucket >= 1 &&
                     shape.bucket <= static_cast<std::int64_t>(kFastTextRowsMax) && shortest >= 0 &&
                     longest >= shortest && longest <= kNgramsMax && sampling > 0 && sampling <= 1;
  return sound ? Status{} : Bad("its settings are out of range");
}

Status TakeDictionary(Cursor& cursor, Shape& shape) {
  const auto size = cursor.Take<std::int32_t>();
  shape.words = cursor.Take<std::int32_t>();
  const auto labels = cursor.Take<std::int32_t>();
  const auto tokens = cursor.Take<std::int64_t>();
  const auto pruned = cursor.Take<std::int64_t>();
  if (!cursor.ok() || shape.words < 1 ||
      shape.words > static_cast<std::int64_t>(kFastTextWordsMax) || labels != 2 ||
      size != shape.words + labels || tokens < 1 || pruned != -1) {
    return Bad("its dictionary does not count right");
  }
  std::unordered_set<std::string_view> seen;
  for (std::int32_t i = 0; i < size; ++i) {
    const std::string_view word = cursor.Word();
    const auto count = cursor.Take<std::int64_t>();
    const auto type = cursor.Take<std::int8_t>();
    if (!cursor.ok() || word.empty() || count < 1 || count > tokens ||
        type != (i < shape.words ? 0 : 1) || !seen.insert(word).second) {
      return Bad("entry " + std::to_string(i) + " of its dictionary is none");
    }
  }
  return {};
}

Status TakeMatrix(Cursor& cursor, std::int64_t rows, std::int64_t columns, const char* name,
                  bool last) {
  const auto quantised = cursor.Take<std::uint8_t>();
  if (quantised != 0 || cursor.Take<std::int64_t>() != rows ||
      cursor.Take<std::int64_t>() != columns || !cursor.ok()) {
    return Bad(std::string("its ") + name + " has another shape than its dictionary");
  }
  const auto numbers = static_cast<std::size_t>(rows * columns);
  const std::size_t left = cursor.rest().size() / sizeof(float);
  if (left < numbers || (last && cursor.rest().size() != numbers * sizeof(float))) {
    return Bad(std::string("its ") + name + (left < numbers ? " is cut" : " does not end it"));
  }
  for (std::size_t i = 0; i < numbers; ++i) {
    if (!std::isfinite(cursor.Take<float>())) {
      return Bad(std::string("its ") + name + " holds what is no number");
    }
  }
  return {};
}

}  // namespace

Status CheckFastTextFile(std::string_view bytes) {
  Cursor cursor(bytes);
  Shape shape;
  Status status = TakeSettings(cursor, shape);
  if (status) {
    status = TakeDictionary(cursor, shape);
  }
  if (status && shape.words + shape.bucket > static_cast<std::int64_t>(kFastTextRowsMax)) {
    status = Bad("it has too many rows");
  }
  if (status) {
    status = TakeMatrix(cursor, shape.words + shape.bucket, shape.dimension, "input", false);
  }
  if (status) {
    status = TakeMatrix(cursor, 2, shape.dimension, "output", true);
  }
  return status;
}

}  // namespace safeguard::judges
