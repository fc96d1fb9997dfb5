// The file of a dedicated classifier, integers little-endian:
//
//   "SGCLASSF"  format (4 bytes)  bytes of the card (4)  bytes of the weights (8)
//   the card: JSON   the weights   BLAKE2b of all bytes so far, 64 hexadecimal digits
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"
#include "judges/classifier_card.h"
#include "judges/dedicated/card_json.h"

namespace safeguard::judges {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "SGCLASSF";
constexpr std::uint32_t kFormat = 1;
constexpr std::size_t kHeadBytes = 8 + 4 + 4 + 8;
constexpr std::size_t kDigestBytes = 64;

template <typename T>
void Put(T value, std::string& bytes) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  bytes.append(raw, sizeof(T));
}

template <typename T>
T Get(std::string_view bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

}  // namespace

const char* ToString(ClassifierKind kind) {
  return kind == ClassifierKind::kWords ? "words" : "head";
}

std::string WriteClassifier(const ClassifierCard& card, std::string_view weights) {
  const std::string json = CardJson(card);
  CHECK(json.size() <= kCardBytesMax);
  std::string bytes(kMagic);
  Put(kFormat, bytes);
  Put(static_cast<std::uint32_t>(json.size()), bytes);
  Put(static_cast<std::uint64_t>(weights.size()), bytes);
  bytes += json;
  bytes += weights;
  return bytes + Blake2bHex(bytes);
}

Result<ClassifierFile> ReadClassifier(std::string_view bytes, const std::string& name) {
  const auto fail = [&name](ErrorCode code, const std::string& why) {
    return Fail(code, name + " is no classifier that can be used: " + why,
                "train it again with `safeguard screen train`, or use another version");
  };
  if (bytes.size() > kClassifierBytesMax) {
    return fail(ErrorCode::kLimit, "it is larger than 1 GiB");
  }
  if (!bytes.starts_with(kMagic)) {
    return fail(ErrorCode::kCorruptFile, "it does not begin with SGCLASSF");
  }
  if (bytes.size() < kHeadBytes + kDigestBytes) {
    return fail(ErrorCode::kCorruptFile, "it is cut");
  }
  if (Get<std::uint32_t>(bytes, 8) > kFormat) {
    return fail(ErrorCode::kUnavailable, "a newer safeguard wrote it");
  }
  const std::size_t room = bytes.size() - kHeadBytes - kDigestBytes;
  const std::size_t card_bytes = Get<std::uint32_t>(bytes, 12);
  const std::uint64_t weight_bytes = Get<std::uint64_t>(bytes, 16);
  if (card_bytes > kCardBytesMax || card_bytes > room || weight_bytes != room - card_bytes) {
    return fail(ErrorCode::kCorruptFile, "it is cut, or longer than it says");
  }
  if (Blake2bHex(bytes.substr(0, bytes.size() - kDigestBytes)) !=
      bytes.substr(bytes.size() - kDigestBytes)) {
    return fail(ErrorCode::kCorruptFile, "its bytes have changed since it was written");
  }
  ClassifierFile file;
  std::string complaint;
  file.card = ReadCardJson(bytes.substr(kHeadBytes, card_bytes), complaint);
  if (Get<std::uint32_t>(bytes, 8) != kFormat) {
    complaint = "its format is unknown";
  }
  if (!complaint.empty()) {
    return fail(ErrorCode::kCorruptFile, complaint);
  }
  file.weights = bytes.substr(kHeadBytes + card_bytes, weight_bytes);
  return file;
}

}  // namespace safeguard::judges
