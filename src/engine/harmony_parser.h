// Reads what the model says, id by id, into Harmony messages.
//
// Structure comes from control tokens alone: text that spells "<|channel|>" is text. On ids that
// openai/harmony's StreamableParser (0.0.8) accepts the messages are the same as its; its errors
// have the same messages. Not strict, it goes further than the library's own lenient mode:
//   - in a message, <|start|> ends it (the model forgot <|end|>); in a header, it begins it anew;
//   - <|channel|> where <|start|> is due begins a message of the assistant, and other tokens there
//     are skipped;
//   - a header that does not follow the grammar is read as far as it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/bpe.h"
#include "engine/harmony.h"
#include "engine/token_stream.h"

namespace safeguard::engine {

struct HarmonyParserOptions {
  // Whose message begins with the first id, as after AppendAssistantStart; without a value the
  // first id must be <|start|>.
  std::optional<HarmonyRole> role = HarmonyRole::kAssistant;
  bool strict = true;
  std::size_t header_tokens_max = 1024;
  std::size_t text_bytes_max = std::size_t{64} << 20;  // of all messages together
};

struct ParsedMessage {
  HarmonyHeader header;
  std::string content;

  bool operator==(const ParsedMessage&) const = default;
};

// Not thread-safe.
class HarmonyParser {
 public:
  enum class State : std::uint8_t { kExpectStart, kHeader, kContent };

  // `bpe` must outlive it.
  explicit HarmonyParser(const Bpe& bpe, HarmonyParserOptions options = {});

  // kInvalidInput for a token that the grammar does not allow, kLimit over a limit of the options.
  // After an error the message is lost and <|start|> is due.
  Status Push(std::uint32_t id);

  // The output ended. An open message is complete as it stands; inside a header it is
  // kInvalidInput, strict or not.
  Status Finish();

  [[nodiscard]] State state() const { return state_; }
  // Of the open message; valid while state() is kContent.
  [[nodiscard]] const HarmonyHeader& header() const { return header_; }
  // The open message is the assistant's answer: its channel is final and it goes to no tool. True
  // first after the <|message|> that opens it: a grammar begins with the next token.
  [[nodiscard]] bool in_final() const { return state_ == State::kContent && final_; }
  [[nodiscard]] bool in_analysis() const;
  // The whole characters that the last call added to the open message, or to the one it ended.
  [[nodiscard]] std::string_view new_text() const { return new_text_; }
  // Of the open message so far.
  [[nodiscard]] const std::string& content() const { return content_; }
  // The complete ones, in order.
  [[nodiscard]] const std::vector<ParsedMessage>& messages() const { return messages_; }

 private:
  Status PushStart(std::uint32_t id);
  Status PushHeader(std::uint32_t id);
  Status PushContent(std::uint32_t id);
  Status OpenContent();
  Status RecoverFromHeader();
  void BeginHeader();
  Status Add(std::string_view text);
  void EndMessage();

  const Bpe& bpe_;
  HarmonyParserOptions options_;
  State state_ = State::kExpectStart;
  std::optional<HarmonyRole> next_role_;
  std::vector<std::uint32_t> header_ids_;
  HarmonyHeader header_;
  bool final_ = false;
  TokenStream stream_;
  std::string content_;
  std::string new_text_;
  std::vector<ParsedMessage> messages_;
  std::size_t bytes_ = 0;  // of all messages
};

// All at once: the messages of a whole completion.
Result<std::vector<ParsedMessage>> ParseCompletion(const Bpe& bpe,
                                                   const std::vector<std::uint32_t>& ids,
                                                   const HarmonyParserOptions& options = {});

}  // namespace safeguard::engine
