#include <utility>

#include "engine/harmony_parser.h"
#include "engine/special_tokens.h"
#include "engine/text/harmony/header.h"

namespace safeguard::engine {
namespace {

constexpr std::size_t kMessageBytes = 256;  // what a message costs besides its text

std::size_t SizeOf(const HarmonyHeader& header) {
  return header.name.size() + header.recipient.value_or("").size() +
         header.channel.value_or("").size() + header.content_type.value_or("").size();
}

}  // namespace

HarmonyParser::HarmonyParser(const Bpe& bpe, HarmonyParserOptions options)
    : bpe_(bpe),
      options_(options),
      state_(options.role ? State::kHeader : State::kExpectStart),
      next_role_(options.role),
      stream_(bpe) {}

bool HarmonyParser::in_analysis() const {
  return state_ == State::kContent && header_.role == HarmonyRole::kAssistant &&
         header_.channel == "analysis";
}

Status HarmonyParser::Push(std::uint32_t id) {
  new_text_.clear();
  switch (state_) {
    case State::kExpectStart:
      return PushStart(id);
    case State::kHeader:
      return PushHeader(id);
    case State::kContent:
      return PushContent(id);
  }
  return {};
}

Status HarmonyParser::PushStart(std::uint32_t id) {
  if (id == special::kStart) {
    BeginHeader();
    return {};
  }
  if (options_.strict) {
    return Fail(ErrorCode::kInvalidInput, "Unexpected token " + std::to_string(id) +
                                              " while expecting start token " +
                                              std::to_string(special::kStart));
  }
  if (id == special::kChannel) {
    BeginHeader();
    next_role_ = HarmonyRole::kAssistant;
    header_ids_.push_back(id);
  }
  return {};
}

void HarmonyParser::BeginHeader() {
  state_ = State::kHeader;
  header_ids_.clear();
}

Status HarmonyParser::PushHeader(std::uint32_t id) {
  if (id == special::kMessage) {
    return OpenContent();
  }
  if (!options_.strict && EndsMessage(id)) {
    return RecoverFromHeader();
  }
  if (!options_.strict && id == special::kStart) {
    header_ids_.clear();
    return {};
  }
  if (header_ids_.size() >= options_.header_tokens_max) {
    state_ = State::kExpectStart;
    return Fail(ErrorCode::kLimit, "a message header is over the limit of " +
                                       std::to_string(options_.header_tokens_max) + " tokens");
  }
  header_ids_.push_back(id);
  return {};
}

Status HarmonyParser::OpenContent() {
  state_ = State::kExpectStart;  // where an error leaves it
  Result<ParsedHeader> parsed =
      ParseHeader(bpe_, header_ids_, next_role_, HeaderForm::kWhole, options_.strict);
  if (!parsed) {
    return std::unexpected(std::move(parsed.error()));
  }
  next_role_.reset();
  header_ = std::move(parsed->header);
  final_ =
      header_.role == HarmonyRole::kAssistant && header_.channel == "final" && !parsed->to_tool;
  content_.clear();
  state_ = State::kContent;
  return {};
}

// The message ended before <|message|>: what stands after its role and channel is its content.
Status HarmonyParser::RecoverFromHeader() {
  state_ = State::kExpectStart;
  const std::optional<HarmonyRole> role = std::exchange(next_role_, std::nullopt);
  if (!role || header_ids_.empty()) {
    return {};
  }
  Result<ParsedHeader> parsed = ParseHeader(bpe_, header_ids_, role, HeaderForm::kCut, false);
  if (!parsed) {
    return std::unexpected(std::move(parsed.error()));
  }
  header_ = std::move(parsed->header);
  content_.clear();
  if (Status status = Add(parsed->rest); !status) {
    return status;
  }
  EndMessage();
  return {};
}

Status HarmonyParser::PushContent(std::uint32_t id) {
  if (EndsMessage(id) || (!options_.strict && id == special::kStart)) {
    if (Status status = Add(stream_.Finish()); !status) {
      return status;
    }
    EndMessage();
    if (id == special::kStart) {
      BeginHeader();
    }
    return {};
  }
  return Add(stream_.Push(id));
}

Status HarmonyParser::Add(std::string_view text) {
  if (bytes_ + content_.size() + text.size() > options_.text_bytes_max) {
    state_ = State::kExpectStart;
    content_.clear();
    stream_.Finish();
    return Fail(ErrorCode::kLimit, "the messages are over the limit of " +
                                       std::to_string(options_.text_bytes_max) + " bytes");
  }
  content_ += text;
  new_text_ = text;
  return {};
}

void HarmonyParser::EndMessage() {
  bytes_ += content_.size() + SizeOf(header_) + kMessageBytes;
  messages_.push_back({std::move(header_), std::move(content_)});
  header_ = {};
  content_.clear();
  state_ = State::kExpectStart;
}

Status HarmonyParser::Finish() {
  new_text_.clear();
  switch (state_) {
    case State::kExpectStart:
      return {};
    case State::kHeader:
      return Fail(ErrorCode::kInvalidInput,
                  "Unexpected EOS while waiting for message header to complete");
    case State::kContent:
      break;
  }
  Status status = Add(stream_.Finish());
  if (status) {
    EndMessage();
  }
  return status;
}

Result<std::vector<ParsedMessage>> ParseCompletion(const Bpe& bpe,
                                                   const std::vector<std::uint32_t>& ids,
                                                   const HarmonyParserOptions& options) {
  HarmonyParser parser(bpe, options);
  for (const std::uint32_t id : ids) {
    if (Status status = parser.Push(id); !status) {
      return std::unexpected(std::move(status.error()));
    }
  }
  if (Status status = parser.Finish(); !status) {
    return std::unexpected(std::move(status.error()));
  }
  return parser.messages();
}

}  // namespace safeguard::engine
