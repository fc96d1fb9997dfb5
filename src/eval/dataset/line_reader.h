// Physical lines of a stream, each at most a given number of bytes, in constant memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <string>
#include <string_view>

namespace safeguard::eval {

struct Line {
  std::size_t number = 0;        // 1-based
  std::uint64_t end_offset = 0;  // just after its newline
  bool too_long = false;         // `text` is empty: the line was skipped
  std::string text;              // without "\n" or "\r\n"; the file's first without a UTF-8 BOM
};

class LineReader {
 public:
  // `in` must outlive the reader.
  LineReader(std::istream& in, std::size_t line_bytes_max);

  // The first bytes of the stream, up to some thousands, before any Next. For guessing the format.
  std::string_view FirstBytes();

  // False at the end or on a read error. A last line without a newline is a line.
  bool Next(Line& line);

  [[nodiscard]] bool failed() const { return in_.bad(); }

 private:
  bool Fill();

  std::istream& in_;
  std::size_t line_bytes_max_;
  std::string buffer_;
  std::size_t position_ = 0;  // of the next unread byte in buffer_
  std::size_t line_number_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace safeguard::eval
