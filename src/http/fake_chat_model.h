// For tests: a model that says what it is told to, at once, on the caller's thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/chat_model.h"

namespace safeguard::http {

class FakeChatModel final : public ChatModel {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }

  Result<std::uint64_t> Ask(ChatQuestion question, OnPiece on_piece, OnEnd on_end) override {
    if (refusal) {
      return std::unexpected(*refusal);
    }
    questions.push_back(std::move(question));
    for (const ChatPiece& piece : pieces) {
      on_piece(piece);
    }
    if (silent) {
      waiting = std::move(on_end);
    } else {
      on_end(end);
    }
    return questions.size();
  }
  void Cancel(std::uint64_t id) override { cancelled.push_back(id); }

  std::vector<ChatPiece> pieces = {{true, "The rule ", {}},
                                   {true, "S1 fits.", {}},
                                   {false, "1", {{"1", -0.25, {{"1", -0.25}, {"0", -1.5}}}}}};
  ChatEnd end{ChatEnd::Why::kComplete, "", 40, 30, 6, 8};
  std::optional<Error> refusal;
  bool silent = false;  // the end does not come by itself
  OnEnd waiting;
  std::vector<ChatQuestion> questions;
  std::vector<std::uint64_t> cancelled;

 private:
  std::string name_ = "gpt-oss-safeguard-20b";
};

}  // namespace safeguard::http
