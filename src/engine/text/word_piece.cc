#include "engine/word_piece.h"

#include <algorithm>
#include <utility>

#include "base/unicode/properties.h"
#include "base/utf8.h"
#include "engine/text/bert_characters.h"
#include "engine/text/bert_normalizer.h"
#include "engine/text/token_table.h"
#include "engine/text/word_piece_file.h"

namespace safeguard::engine {
namespace {

struct Lexicon {
  TokenTable beginnings;     // whole tokens: what a word may begin with
  TokenTable continuations;  // tokens with the prefix, without it: what may follow
  std::uint32_t unknown;
  std::size_t word_characters_max;
};

// Collects the characters of a word and cuts it, longest match first (BertPreTokenizer and the
// WordPiece model). A word over the limit is counted, not kept.
class WordCutter final : public CharacterSink {
 public:
  WordCutter(const Lexicon& lexicon, std::vector<WordPieceToken>& tokens)
      : lexicon_(lexicon), tokens_(tokens) {}

  void Take(char32_t c, TextSpan source) override {
    if (c == ' ' || unicode::IsWhiteSpace(c)) {
      EndWord();
    } else if (IsBertPunctuation(c)) {
      EndWord();
      Append(c, source);
      EndWord();
    } else {
      Append(c, source);
    }
  }

  void EndWord() {
    if (characters_ > lexicon_.word_characters_max || (characters_ > 0 && !Cut())) {
      tokens_.push_back({static_cast<std::int32_t>(lexicon_.unknown), span_.begin, span_.end});
    }
    characters_ = 0;
    bytes_.clear();
    places_.clear();
  }

 private:
  struct Place {
    std::uint32_t end;  // in bytes_
    TextSpan source;
  };

  void Append(char32_t c, TextSpan source) {
    if (characters_ == 0) {
      span_.begin = source.begin;
    }
    span_.end = source.end;
    if (++characters_ <= lexicon_.word_characters_max) {
      AppendUtf8(c, bytes_);
      places_.push_back({static_cast<std::uint32_t>(bytes_.size()), source});
    }
  }

  // False, and no tokens, when some part of the word is in no token.
  bool Cut() {
    const std::size_t before = tokens_.size();
    for (std::size_t first = 0; first < places_.size();) {
      const Match match = LongestMatch(first);
      if (match.end == first) {
        tokens_.resize(before);
        return false;
      }
      tokens_.push_back({static_cast<std::int32_t>(match.id), places_[first].source.begin,
                         places_[match.end - 1].source.end});
      first = match.end;
    }
    return true;
  }

  struct Match {
    std::size_t end;  // a character of the word; the first one's own index when nothing matched
    std::uint32_t id;
  };

  Match LongestMatch(std::size_t first) {
    const TokenTable& table = first == 0 ? lexicon_.beginnings : lexicon_.continuations;
    const std::size_t begin = first == 0 ? 0 : places_[first - 1].end;
    hashes_.clear();
    std::uint64_t hash = TokenTable::kEmptyHash;
    std::size_t at = begin;
    for (std::size_t i = first; i < places_.size() && places_[i].end - begin <= table.longest();
         ++i) {
      for (; at < places_[i].end; ++at) {
        hash = TokenTable::Extend(hash, bytes_[at]);
      }
      hashes_.push_back(hash);
    }
    for (std::size_t n = hashes_.size(); n > 0; --n) {
      const std::size_t length = places_[first + n - 1].end - begin;
      const std::string_view part = std::string_view(bytes_).substr(begin, length);
      if (const auto id = table.Find(part, hashes_[n - 1])) {
        return {first + n, *id};
      }
    }
    return {first, 0};
  }

  const Lexicon& lexicon_;
  std::vector<WordPieceToken>& tokens_;
  std::string bytes_;                  // the word
  std::vector<Place> places_;          // of its characters
  std::vector<std::uint64_t> hashes_;  // of the prefixes of what is being matched
  std::size_t characters_ = 0;
  TextSpan span_;
};

class BertWordPiece final : public WordPiece {
 public:
  BertWordPiece(WordPieceFile file, Lexicon lexicon)
      : file_(std::move(file)), lexicon_(std::move(lexicon)) {}

  [[nodiscard]] std::vector<WordPieceToken> Encode(std::string_view text) const override {
    std::vector<WordPieceToken> tokens;
    tokens.reserve(text.size() / 4);
    WordCutter cutter(lexicon_, tokens);
    BertNormalizer(file_.normalizer, cutter).Run(text);
    cutter.EndWord();
    return tokens;
  }

  [[nodiscard]] std::int32_t cls() const override { return static_cast<std::int32_t>(file_.cls); }
  [[nodiscard]] std::int32_t sep() const override { return static_cast<std::int32_t>(file_.sep); }
  [[nodiscard]] std::int32_t unknown() const override {
    return static_cast<std::int32_t>(file_.unknown);
  }
  [[nodiscard]] std::size_t vocabulary_size() const override { return file_.ids; }

 private:
  WordPieceFile file_;  // its vocabulary moved into lexicon_
  Lexicon lexicon_;
};

// Splits the vocabulary into what text may begin with and continue with. Special tokens are in
// neither: text must never yield a control token.
Result<Lexicon> MakeLexicon(WordPieceFile& file) {
  TokenList beginnings;
  TokenList continuations;
  const TokenList vocabulary = std::exchange(file.vocabulary, {});
  std::vector<std::uint32_t> controls = file.specials;
  controls.insert(controls.end(), {file.cls, file.sep, file.unknown});
  std::ranges::sort(controls);
  const std::string_view prefix = file.continuing_prefix;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    if (std::ranges::binary_search(controls, vocabulary.id(i))) {
      continue;
    }
    const std::string_view token = vocabulary.bytes(i);
    beginnings.Add(token, vocabulary.id(i));
    if (token.starts_with(prefix)) {
      continuations.Add(token.substr(prefix.size()), vocabulary.id(i));
    }
  }
  Result<TokenTable> begin = TokenTable::Build(std::move(beginnings));
  if (!begin) {
    return std::unexpected(std::move(begin.error()));
  }
  Result<TokenTable> next = TokenTable::Build(std::move(continuations));
  if (!next) {
    return std::unexpected(std::move(next.error()));
  }
  return Lexicon{std::move(*begin), std::move(*next), file.unknown, file.word_characters_max};
}

}  // namespace

Result<std::unique_ptr<WordPiece>> WordPiece::Load(std::string_view tokenizer_json) {
  Result<WordPieceFile> file = ReadWordPieceFile(tokenizer_json);
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  Result<Lexicon> lexicon = MakeLexicon(*file);
  if (!lexicon) {
    lexicon.error().message = "tokenizer.json: model.vocab: " + lexicon.error().message;
    return std::unexpected(std::move(lexicon.error()));
  }
  return std::make_unique<BertWordPiece>(std::move(*file), std::move(*lexicon));
}

}  // namespace safeguard::engine
