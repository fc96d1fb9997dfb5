#include "eval/dataset/line_reader.h"

#include <algorithm>

namespace safeguard::eval {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

LineReader::LineReader(std::istream& in, std::size_t line_bytes_max)
    : in_(in), line_bytes_max_(line_bytes_max) {}

bool LineReader::Fill() {
  buffer_.clear();
  position_ = 0;
  // Takes what is there instead of waiting for a full chunk, so that a pipe is read as it is
  // written.
  if (in_.peek() == std::istream::traits_type::eof()) {
    return false;
  }
  const auto available = static_cast<std::size_t>(std::max<std::streamsize>(
      1, std::min<std::streamsize>(in_.rdbuf()->in_avail(), kChunkBytes)));
  buffer_.resize(available);
  in_.read(buffer_.data(), static_cast<std::streamsize>(available));
  buffer_.resize(static_cast<std::size_t>(in_.gcount()));
  return !buffer_.empty();
}

std::string_view LineReader::FirstBytes() {
  if (position_ == buffer_.size() && line_number_ == 0) {
    Fill();
  }
  return std::string_view(buffer_).substr(position_);
}

bool LineReader::Next(Line& line) {
  line.text.clear();
  line.too_long = false;
  bool any = false;
  bool ended = false;
  while (!ended) {
    if (position_ == buffer_.size() && !Fill()) {
      break;
    }
    any = true;
    const std::string_view rest = std::string_view(buffer_).substr(position_);
    const std::size_t newline = rest.find('\n');
    ended = newline != std::string_view::npos;
    const std::string_view part = rest.substr(0, newline);
    const std::size_t taken = part.size() + (ended ? 1 : 0);
    position_ += taken;
    offset_ += taken;
    if (line.too_long || line.text.size() + part.size() > line_bytes_max_) {
      line.too_long = true;
      line.text.clear();
    } else {
      line.text += part;
    }
  }
  if (!any || failed()) {
    return false;
  }
  line.number = ++line_number_;
  line.end_offset = offset_;
  if (ended && line.text.ends_with('\r')) {
    line.text.pop_back();
  }
  if (line.number == 1 && line.text.starts_with(kByteOrderMark)) {
    line.text.erase(0, kByteOrderMark.size());
  }
  return true;
}

}  // namespace safeguard::eval
