// The content that `classify` judges: from the command line, a file, standard input, or a
// conversation in JSON. Bad bytes are repaired here, at the edge, and the verdicts say so.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/output/console.h"
#include "base/result.h"
#include "moderation/content.h"
#include "moderation/verdict.h"

namespace safeguard::apps {

// More is a clear error. What the judge itself refuses as too long is far less.
inline constexpr std::size_t kContentBytesMax = std::size_t{64} << 20;

struct ContentRequest {
  bool has_text = false;
  std::string text;          // "-": standard input
  std::string file;          // "-": standard input
  std::string conversation;  // path of a JSON file; "-": standard input
  moderation::Role role = moderation::Role::kUser;
  std::string surface;
  std::string language;
};

struct ContentInput {
  moderation::Content content;  // valid UTF-8
  // For a single message that had to be repaired: origin[i] is the byte of the input that byte i of
  // the text came from (base/utf8.h). Empty: the text is the input.
  std::vector<std::uint32_t> origin;
  std::vector<std::string> notes;
};

// Fails on: more than one source or none, a missing file or a directory, NUL bytes (binary), more
// than kContentBytesMax bytes, a conversation that is not JSON messages.
Result<ContentInput> ReadContent(const ContentRequest& request, Console& console);

// Puts the input's notes on the verdict and its evidence back to the offsets of the input.
void Restore(const ContentInput& input, moderation::Verdict& verdict);

}  // namespace safeguard::apps
