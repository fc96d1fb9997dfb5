// What a tokenizer.json says about a BERT WordPiece tokenizer, checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/text/bert_normalizer.h"
#include "engine/text/token_table.h"

namespace safeguard::engine {

// The longest word that is looked up; a file may ask for less. Words cost O(length^2).
constexpr std::size_t kWordCharactersMax = 1000;

struct WordPieceFile {
  BertNormalizerSettings normalizer;
  std::string continuing_prefix;        // usually "##"; may be empty
  std::size_t word_characters_max = 0;  // in [1, kWordCharactersMax]
  TokenList vocabulary;                 // as in the file, special tokens included
  std::vector<std::uint32_t> specials;  // ids of added_tokens: never made from text
  std::uint32_t cls = 0;                // from post_processor, else the token "[CLS]"
  std::uint32_t sep = 0;                // from post_processor, else the token "[SEP]"
  std::uint32_t unknown = 0;            // the id of model.unk_token
  std::size_t ids = 0;                  // one more than the highest id of all of these
};

// Truncation, padding and the decoder are not read: Encode does none of them. An added token that
// is not special would have to be found in text before anything else: refused as kInvalidInput,
// like other kinds of normaliser, pre-tokeniser, post-processor and model.
Result<WordPieceFile> ReadWordPieceFile(std::string_view tokenizer_json);

}  // namespace safeguard::engine
