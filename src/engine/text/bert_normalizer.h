// BertNormalizer as a stream: characters go in, normalised characters come out with the bytes of
// the text that they were made from. Linear in the text; memory is that of the longest run of
// combining marks.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace safeguard::engine {

struct BertNormalizerSettings {
  bool clean_text = true;            // drop control characters, make all white space ' '
  bool handle_chinese_chars = true;  // put spaces around ideographs
  bool strip_accents = true;         // NFD, then drop non-spacing marks
  bool lowercase = true;
};

// Bytes [begin, end) of the text.
struct TextSpan {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

class CharacterSink {
 public:
  CharacterSink() = default;
  CharacterSink(const CharacterSink&) = delete;
  CharacterSink& operator=(const CharacterSink&) = delete;
  virtual ~CharacterSink() = default;

  // Spans never go backwards; several characters can share one (a decomposed syllable).
  virtual void Take(char32_t c, TextSpan source) = 0;
};

class BertNormalizer {
 public:
  BertNormalizer(const BertNormalizerSettings& settings, CharacterSink& sink)
      : settings_(settings), sink_(sink) {}

  // Normalises all of `text`. REQUIRES: valid UTF-8 under 4 GiB.
  void Run(std::string_view text);

 private:
  struct Mark {
    char32_t c;
    std::uint8_t combining_class;
    bool first;  // of its character's decomposition
  };

  void Clean(char32_t c, TextSpan source);
  void SetApart(char32_t c, TextSpan source);
  void Decompose(char32_t c, TextSpan source);
  void SortMarks();
  void FlushMarks();
  void Strip(char32_t c, TextSpan source);
  void Lower(char32_t c, TextSpan source);

  BertNormalizerSettings settings_;
  CharacterSink& sink_;
  std::vector<Mark> marks_;        // combining marks since the last starter, to be sorted by class
  std::vector<Mark> sorted_;       // scratch of SortMarks
  std::vector<TextSpan> sources_;  // of the first marks among them, in the order of the text
  TextSpan last_source_;
};

}  // namespace safeguard::engine
