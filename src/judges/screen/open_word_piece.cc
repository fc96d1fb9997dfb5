#include "judges/screen/open_word_piece.h"

#include "base/file.h"

namespace safeguard::judges {
namespace {

constexpr std::size_t kTokenizerBytesMax = 32 << 20;

}  // namespace

Result<std::unique_ptr<engine::WordPiece>> OpenWordPiece(const std::string& folder) {
  const Result<std::string> json = ReadFile(folder + "/tokenizer.json", kTokenizerBytesMax);
  if (!json) {
    return std::unexpected(json.error());
  }
  Result<std::unique_ptr<engine::WordPiece>> tokenizer = engine::WordPiece::Load(*json);
  if (!tokenizer) {
    return Fail(tokenizer.error().code, folder + "/tokenizer.json: " + tokenizer.error().message,
                tokenizer.error().hint);
  }
  return tokenizer;
}

}  // namespace safeguard::judges
