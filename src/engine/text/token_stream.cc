#include "engine/token_stream.h"

#include "base/utf8.h"
#include "engine/special_tokens.h"

namespace safeguard::engine {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// A part that ends with the bytes there are may be completed by later ones if it has a lead byte.
bool IsLead(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value >= 0xC2 && value <= 0xF4;
}

}  // namespace

std::string TokenStream::Push(std::uint32_t id) {
  const std::string_view bytes = bpe_.Bytes(id);
  if (!bytes.empty()) {
    pending_ += bytes;
  } else if (IsControlToken(id)) {
    pending_ += ControlTokenName(id);
  } else {
    pending_ += kReplacement;
  }
  std::string out;
  std::size_t at = 0;
  while (at < pending_.size()) {
    const DecodedCodePoint next = DecodeUtf8(pending_, at);
    if (next.valid) {
      out.append(pending_, at, next.length);
    } else if (at + next.length == pending_.size() && IsLead(pending_[at])) {
      break;
    } else {
      out += kReplacement;
    }
    at += next.length;
  }
  pending_.erase(0, at);
  return out;
}

std::string TokenStream::Finish() {
  std::string out;
  if (!pending_.empty()) {
    out = kReplacement;
    pending_.clear();
  }
  return out;
}

}  // namespace safeguard::engine
