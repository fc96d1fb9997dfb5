// The text that stands for a labelled case.
#pragma once

#include <string>

#include "moderation/content.h"

namespace safeguard::judges {

// Its message, or its conversation turn by turn.
inline std::string CaseText(const moderation::Content& content) {
  std::string text;
  for (const moderation::Message& message : content.messages) {
    text += (text.empty() ? "" : "\n") + message.text;
  }
  return text;
}

}  // namespace safeguard::judges
