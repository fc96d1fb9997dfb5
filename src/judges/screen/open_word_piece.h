// The tokenizer of a model's folder.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/word_piece.h"

namespace safeguard::judges {

// Reads `folder`/tokenizer.json. Errors name the file.
Result<std::unique_ptr<engine::WordPiece>> OpenWordPiece(const std::string& folder);

}  // namespace safeguard::judges
