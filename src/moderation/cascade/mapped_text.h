// A text that remembers, for every byte, where in the original it came from, and the one way to
// make a changed text from it. Every canonical view is a chain of such changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace safeguard::moderation {

struct MappedText {
  std::string text;                       // valid UTF-8
  std::vector<std::uint32_t> origin;      // as in View: whole code points of the original
  std::vector<std::uint32_t> origin_end;  // one past the last byte
};

// The original as its own mapping. REQUIRES: valid UTF-8 of less than 4 GiB.
MappedText Identity(std::string_view text);

using ByteRange = std::pair<std::size_t, std::size_t>;

// Collects edits of `source` in ascending order; what lies between edits is copied. Nothing is
// copied while nothing changes, so that a stage that finds nothing costs its reading only.
class Rewriter {
 public:
  // `source` must outlive this.
  explicit Rewriter(const MappedText& source) : source_(source) {}

  // Writes `with` in place of [begin, end); each byte of it maps to all that was replaced.
  // REQUIRES: begin < end, on code-point boundaries, not before the end of the edit before.
  void Replace(std::size_t begin, std::size_t end, std::string_view with);

  // Writes the `pieces` of [begin, end), in the order given, in its place; each keeps its mapping.
  void Reorder(std::size_t begin, std::size_t end, std::span<const ByteRange> pieces);

  // The changed text, or nothing when no edit changed a byte. Call once, last.
  std::optional<MappedText> Finish();

 private:
  void CopyUpTo(std::size_t end);
  void Copy(std::size_t begin, std::size_t end);

  const MappedText& source_;
  MappedText out_;
  std::size_t copied_ = 0;
  bool changed_ = false;
};

}  // namespace safeguard::moderation
