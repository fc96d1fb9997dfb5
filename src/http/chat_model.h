// ChatModel: the reasoner as a model that is talked to. A policy goes in as instructions, a content
// as the user's message; reasoning and answer come back apart, token by token. It judges nothing:
// what it says is text, and becomes no verdict.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "moderation/content.h"

namespace safeguard::http {

enum class ChatEffort { kLow, kMedium, kHigh };

// What the answer must be; enforced, not only asked for.
struct ChatFormat {
  enum class Kind { kText, kJsonSchema };
  Kind kind = Kind::kText;
  std::string name;
  std::string description;  // may be empty
  std::string schema;       // JSON Schema, as text
};

struct ChatQuestion {
  // In order. System and developer: instructions; user; assistant: earlier answers.
  std::vector<moderation::Message> messages;
  ChatEffort effort = ChatEffort::kMedium;
  ChatFormat format;
  std::size_t tokens_max = 4096;  // reasoning and answer together
  double temperature = 1;         // 0: greedy; 0..2
  double top_p = 1;               // (0, 1]
  std::optional<std::uint64_t> seed;
  bool logprobs = false;
  std::size_t top_logprobs = 0;  // 0..20
  std::string tenant;            // shares no cache with another
  std::chrono::milliseconds time_max{60'000};
};

struct TokenScore {
  std::string bytes;  // of the token; maybe a part of a character
  double logprob = 0;
  std::vector<std::pair<std::string, double>> top;  // likeliest first
};

// Whole characters of the reasoning or of the answer.
struct ChatPiece {
  bool reasoning = false;
  std::string text;
  std::vector<TokenScore> scores;  // where asked for
};

struct ChatEnd {
  enum class Why { kComplete, kTokenLimit, kTimeLimit, kCancelled, kFailed };
  Why why = Why::kFailed;
  std::string detail;  // of kFailed
  std::size_t prompt_tokens = 0;
  std::size_t cached_tokens = 0;     // of the prompt
  std::size_t reasoning_tokens = 0;  // of the completion
  std::size_t completion_tokens = 0;
};

// Thread-safe.
class ChatModel {
 public:
  using OnPiece = std::function<void(ChatPiece)>;
  using OnEnd = std::function<void(ChatEnd)>;

  virtual ~ChatModel() = default;

  // As /v1/models calls it.
  [[nodiscard]] virtual const std::string& name() const = 0;
  // `on_piece` is called in order, then `on_end` once, from a thread of the model: they must not
  // block and not call the model. kInvalidInput: the question cannot be asked, and says why;
  // kLimit: too many wait, or it is too long. Then neither is called.
  // The id is for Cancel().
  virtual Result<std::uint64_t> Ask(ChatQuestion question, OnPiece on_piece, OnEnd on_end) = 0;
  // Takes effect soon; a question that has ended is left alone.
  virtual void Cancel(std::uint64_t id) = 0;
};

}  // namespace safeguard::http
