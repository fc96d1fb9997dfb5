// The texts that a content is scored by: every message, in every canonical view, and a conversation
// as a whole; with the way back from a place in such a text to bytes of the content.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "moderation/content.h"
#include "moderation/verdict.h"
#include "moderation/views.h"

namespace safeguard::judges {

// Text `view` of message `message`, or of the whole conversation.
struct ContentText {
  bool whole_conversation = false;
  std::size_t message = 0;
  moderation::View view;
};

class ContentTexts {
 public:
  explicit ContentTexts(const moderation::Content& content);

  [[nodiscard]] const std::vector<ContentText>& texts() const { return texts_; }
  // What must be said about the content, e.g. that invalid UTF-8 was replaced, and where.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  // Whether every text is mostly written in letters that an English model does not know.
  [[nodiscard]] bool foreign_script() const { return foreign_script_; }

  // The content's bytes behind [begin, end) of texts()[text].
  [[nodiscard]] moderation::Evidence EvidenceOf(std::size_t text, std::size_t begin,
                                                std::size_t end) const;

 private:
  struct Repaired {
    std::string text;
    std::vector<std::uint32_t> origin;  // empty: nothing was repaired
  };

  std::vector<Repaired> messages_;
  std::vector<ContentText> texts_;
  std::vector<std::size_t> message_begins_;  // of each message inside the whole conversation
  std::vector<std::string> notes_;
  bool foreign_script_ = false;
};

}  // namespace safeguard::judges
