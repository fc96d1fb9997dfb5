#include "http/api/file_lines.h"

#include <algorithm>

namespace safeguard::http {

Result<std::string_view> FileLines::Rest() {
  if (given_ == piece_.size()) {
    Result<std::string> piece = files_.ReadPart(owner_, id_, read_, moderation::kFilePieceBytes);
    if (!piece) {
      return std::unexpected(piece.error());
    }
    piece_ = std::move(*piece);
    given_ = 0;
    read_ += piece_.size();
  }
  return std::string_view(piece_).substr(given_);
}

Result<std::optional<FileLine>> FileLines::Next() {
  FileLine line{number_ + 1, {}, false};
  bool there = false;
  for (bool ended = false; !ended;) {
    const Result<std::string_view> rest = Rest();
    if (!rest) {
      return std::unexpected(rest.error());
    }
    if (rest->empty()) {
      break;
    }
    there = true;
    const std::size_t end = std::min(rest->find('\n'), rest->size());
    ended = end < rest->size();
    const std::size_t room = line_bytes_max_ - line.text.size();
    line.too_long = line.too_long || end > room;
    line.text += rest->substr(0, std::min(end, room));
    given_ += end + (ended ? 1 : 0);
  }
  if (!there) {
    return std::nullopt;
  }
  ++number_;
  return line;
}

}  // namespace safeguard::http
