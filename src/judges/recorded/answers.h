// The recorded answers of a file, by what they are of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/bpe.h"
#include "moderation/content.h"

namespace safeguard::judges {

struct RecordedAnswer {
  std::string reasoning;
  std::string final;
  bool complete = true;  // false: the completion ended without a final message
};

class RecordedAnswers {
 public:
  // `bpe` may be null: then lines in Harmony are errors. `name` is how errors call the file;
  // `by_line` as in RecordedOptions.
  static Result<RecordedAnswers> Read(std::string_view jsonl, const std::string& name,
                                      const engine::Bpe* bpe, bool by_line = false);

  // Null when nothing was recorded.
  [[nodiscard]] const RecordedAnswer* Find(const moderation::Content& content,
                                           const std::string& policy) const;
  [[nodiscard]] std::size_t size() const { return answers_.size(); }

 private:
  Status Add(std::string key, RecordedAnswer&& answer);

  std::unordered_map<std::string, RecordedAnswer> answers_;
};

// A completion as ids: control tokens where their names stand, everything else as text. Only for
// recordings, whose text is the model's own; never for prompts.
std::vector<std::uint32_t> CompletionIds(const engine::Bpe& bpe, std::string_view completion);

}  // namespace safeguard::judges
