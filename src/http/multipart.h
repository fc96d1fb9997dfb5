// A form with files (multipart/form-data, RFC 7578), as browsers, curl and OpenAI's clients send
// it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "http/problem.h"
#include "moderation/file_store.h"

namespace safeguard::http {

inline constexpr std::size_t kFormPartsMax = 16;
inline constexpr std::size_t kFormHeaderBytesMax = 4096;  // of one part

struct FormPart {
  std::string name;
  std::string file_name;  // empty: a field
  std::string bytes;
};

// A part, and where in the body its bytes are.
struct PlacedPart {
  std::string name;
  std::string file_name;
  std::size_t begin = 0;
  std::size_t size = 0;
};

// `content_type`: the header, with its boundary. Every part has a name, no name comes twice. The
// body is read a piece at a time.
OrProblem<std::vector<PlacedPart>> FindParts(std::string_view content_type,
                                             const moderation::ByteSource& body);
// The same of a body that is in memory, with the parts' bytes.
OrProblem<std::vector<FormPart>> ReadForm(std::string_view content_type, std::string_view body);

}  // namespace safeguard::http
