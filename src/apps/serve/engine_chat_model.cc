#include "apps/serve/engine_chat_model.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "apps/input/model_folders.h"
#include "base/random_bytes.h"
#include "engine/harmony.h"
#include "engine/harmony_parser.h"
#include "engine/language_model.h"

namespace safeguard::apps {
namespace {

using engine::GenerationRequest;
using engine::GenerationResult;
using engine::HarmonyMessage;
using http::ChatEnd;
using http::ChatFormat;
using http::ChatPiece;
using http::ChatQuestion;
using moderation::Role;

engine::ReasoningEffort EffortOf(http::ChatEffort effort) {
  switch (effort) {
    case http::ChatEffort::kLow:
      return engine::ReasoningEffort::kLow;
    case http::ChatEffort::kHigh:
      return engine::ReasoningEffort::kHigh;
    case http::ChatEffort::kMedium:
      break;
  }
  return engine::ReasoningEffort::kMedium;
}

// No date line, as everywhere here: answers stay the same every day.
std::vector<HarmonyMessage> MessagesOf(const ChatQuestion& question) {
  engine::HarmonySystem system;
  system.effort = EffortOf(question.effort);
  std::vector<HarmonyMessage> messages = {engine::SystemMessage(system)};
  std::vector<engine::ResponseFormat> formats;
  if (question.format.kind == ChatFormat::Kind::kJsonSchema) {
    formats.push_back({question.format.name.empty() ? "answer" : question.format.name,
                       question.format.description, question.format.schema});
  }
  const auto instructs = [](const moderation::Message& message) {
    return message.role == Role::kSystem || message.role == Role::kDeveloper;
  };
  if (!formats.empty() && std::ranges::none_of(question.messages, instructs)) {
    messages.push_back(engine::DeveloperMessage({std::nullopt, std::exchange(formats, {})}));
  }
  for (const moderation::Message& message : question.messages) {
    if (instructs(message)) {
      messages.push_back(engine::DeveloperMessage({message.text, std::exchange(formats, {})}));
    } else if (message.role == Role::kAssistant) {
      messages.push_back(engine::AssistantMessage("final", message.text));
    } else {
      messages.push_back(engine::UserMessage(message.text));
    }
  }
  return messages;
}

// Tokens of one answer, as they come, into pieces.
class AnswerReader {
 public:
  AnswerReader(const engine::Bpe& bpe, bool logprobs, http::ChatModel::OnPiece on_piece)
      : bpe_(bpe),
        parser_(bpe, {.role = engine::HarmonyRole::kAssistant, .strict = false}),
        logprobs_(logprobs),
        on_piece_(std::move(on_piece)) {}

  void Push(const engine::GeneratedToken& token) {
    const bool was_final = parser_.in_final();
    const Status read = parser_.Push(token.id);
    if (!read) {
      failed_ = true;
      return;
    }
    if (logprobs_ && was_final && parser_.in_final() && token.logprob) {
      scores_.push_back(ScoreOf(token));
    }
    if (parser_.new_text().empty()) {
      return;
    }
    // What is not the answer is how the model came to it, whatever its channel.
    ChatPiece piece{!was_final, std::string(parser_.new_text()), {}};
    if (was_final) {
      piece.scores = std::exchange(scores_, {});
    }
    on_piece_(std::move(piece));
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  [[nodiscard]] http::TokenScore ScoreOf(const engine::GeneratedToken& token) const {
    http::TokenScore score{std::string(bpe_.Bytes(token.id)), *token.logprob, {}};
    for (const engine::TokenLogprob& top : token.top) {
      score.top.emplace_back(std::string(bpe_.Bytes(top.id)), top.logprob);
    }
    return score;
  }

  const engine::Bpe& bpe_;
  engine::HarmonyParser parser_;
  bool logprobs_;
  bool failed_ = false;
  http::ChatModel::OnPiece on_piece_;
  std::vector<http::TokenScore> scores_;  // of tokens that end no character yet
};

ChatEnd EndOf(const GenerationResult& result, bool unreadable) {
  using Why = ChatEnd::Why;
  ChatEnd end;
  switch (result.finish) {
    case engine::FinishReason::kStopToken:
    case engine::FinishReason::kGrammarComplete:
    case engine::FinishReason::kProbed:
      end.why = result.final_opened ? Why::kComplete : Why::kFailed;
      end.detail = result.final_opened ? "" : "it ended without an answer";
      break;
    case engine::FinishReason::kTokenLimit:
      end.why = Why::kTokenLimit;
      break;
    case engine::FinishReason::kTimeLimit:
      end.why = Why::kTimeLimit;
      break;
    case engine::FinishReason::kCancelled:
      end.why = Why::kCancelled;
      break;
    case engine::FinishReason::kError:
      end.detail = result.error ? result.error->message : "it failed";
      break;
  }
  if (unreadable) {
    end.why = Why::kFailed;
    end.detail = "it is not in the model's own format";
  }
  end.prompt_tokens = result.usage.prompt_tokens;
  end.cached_tokens = result.usage.cached_tokens;
  end.reasoning_tokens = result.usage.reasoning_tokens;
  end.completion_tokens = result.tokens.size();
  return end;
}

class EngineChatModel final : public http::ChatModel {
 public:
  EngineChatModel(engine::Generator& generator, const engine::Bpe& bpe, std::string name,
                  std::size_t context_max)
      : generator_(generator), bpe_(bpe), name_(std::move(name)), context_max_(context_max) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  Result<std::uint64_t> Ask(ChatQuestion question, OnPiece on_piece, OnEnd on_end) override {
    Result<GenerationRequest> request = RequestFor(question);
    if (!request) {
      return std::unexpected(request.error());
    }
    auto reader = std::make_shared<AnswerReader>(bpe_, question.logprobs, std::move(on_piece));
    request->on_token = [reader](const engine::GeneratedToken& token) { reader->Push(token); };
    Result<engine::RequestId> id = generator_.Submit(
        std::move(*request), [reader, on_end = std::move(on_end)](const GenerationResult& result) {
          on_end(EndOf(result, reader->failed()));
        });
    if (!id) {
      return std::unexpected(id.error());
    }
    return static_cast<std::uint64_t>(*id);
  }

  void Cancel(std::uint64_t id) override { generator_.Cancel(engine::RequestId{id}); }

 private:
  Result<GenerationRequest> RequestFor(const ChatQuestion& question) const {
    const std::vector<HarmonyMessage> messages = MessagesOf(question);
    Result<std::vector<std::uint32_t>> prompt =
        engine::RenderPrompt(bpe_, messages, engine::DropReasoning::kBeforeLastFinal);
    if (!prompt) {
      return std::unexpected(prompt.error());
    }
    if (prompt->size() + 16 > context_max_) {
      return Fail(ErrorCode::kInvalidInput,
                  "the messages are " + std::to_string(prompt->size()) +
                      " tokens, and the model reads " + std::to_string(context_max_),
                  "shorten them");
    }
    GenerationRequest request;
    if (messages.size() > 2) {  // the policy, which other contents will share
      const auto shared = engine::RenderConversation(bpe_, std::span(messages).first(2));
      if (shared && shared->size() < prompt->size()) {
        request.prefix_ends = {shared->size()};
      }
    }
    request.tokens_max = std::min(question.tokens_max, context_max_ - prompt->size());
    request.prompt = std::move(*prompt);
    request.prefix_salt = question.tenant;
    request.tenant = question.tenant;
    request.time_max = question.time_max;
    request.sampling.temperature = question.temperature;
    request.sampling.top_p = question.top_p;
    request.sampling.seed = question.seed ? *question.seed : RandomSeed();
    request.sampling.logprobs = question.logprobs;
    request.sampling.top_logprobs = question.top_logprobs;
    request.reasoning = engine::ReasoningLimits();
    request.reasoning->tokens_max = std::max<std::size_t>(1, request.tokens_max * 3 / 4);
    if (question.format.kind == ChatFormat::Kind::kJsonSchema) {
      auto grammar = engine::Grammar::FromJsonSchema(question.format.schema);
      if (!grammar) {
        return std::unexpected(grammar.error());
      }
      request.grammar = *grammar;
    }
    return request;
  }

  static std::uint64_t RandomSeed() {
    std::uint64_t seed = 0;
    for (const char c : RandomBytes(sizeof seed)) {
      seed = seed << 8U | static_cast<unsigned char>(c);
    }
    return seed;
  }

  engine::Generator& generator_;
  const engine::Bpe& bpe_;
  std::string name_;
  std::size_t context_max_;
};

// Its questions end when it is stopped, whoever else uses the model.
class LoadedChatModel final : public OwnedChatModel {
 public:
  explicit LoadedChatModel(std::shared_ptr<engine::LanguageModel> model)
      : name_(model->name()),
        model_(std::move(model)),
        chat_(model_->generator(), model_->bpe(), name_, model_->context_max()) {}
  ~LoadedChatModel() override { StopAll(); }

  [[nodiscard]] const std::string& name() const override { return name_; }

  Result<std::uint64_t> Ask(ChatQuestion question, OnPiece on_piece, OnEnd on_end) override {
    auto asked = std::make_shared<Asked>();
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) {
        return Fail(ErrorCode::kLimit, "the service stops", "send again");
      }
      asked_.insert(asked);
    }
    const Result<std::uint64_t> id =
        chat_.Ask(std::move(question), std::move(on_piece),
                  [this, asked, on_end = std::move(on_end)](const ChatEnd& end) {
                    on_end(end);
                    Leave(asked);
                  });
    if (!id) {
      Leave(asked);
      return id;
    }
    bool late = false;
    {
      const std::lock_guard lock(mutex_);
      asked->id = *id;
      late = stopping_;
    }
    if (late) {
      chat_.Cancel(*id);  // Stop() came before it had a number
    }
    return id;
  }

  void Cancel(std::uint64_t id) override { chat_.Cancel(id); }
  void Stop() override { StopAll(); }

 private:
  struct Asked {
    std::optional<std::uint64_t> id;  // guarded by mutex_; none while it is being asked
  };

  void Leave(const std::shared_ptr<Asked>& asked) {
    const std::lock_guard lock(mutex_);  // held over the notice: who waits may destroy us
    asked_.erase(asked);
    left_.notify_all();
  }

  void StopAll() {
    std::vector<std::uint64_t> ids;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const std::shared_ptr<Asked>& asked : asked_) {
        if (asked->id) {
          ids.push_back(*asked->id);
        }
      }
    }
    for (const std::uint64_t id : ids) {
      chat_.Cancel(id);
    }
    std::unique_lock lock(mutex_);
    left_.wait(lock, [&] { return asked_.empty(); });
  }

  std::string name_;
  std::shared_ptr<engine::LanguageModel> model_;
  EngineChatModel chat_;  // works with *model_
  std::mutex mutex_;
  std::condition_variable left_;
  bool stopping_ = false;                   // guarded by mutex_
  std::set<std::shared_ptr<Asked>> asked_;  // and not ended; guarded by mutex_
};

}  // namespace

std::unique_ptr<http::ChatModel> MakeChatModel(engine::Generator& generator, const engine::Bpe& bpe,
                                               std::string name, std::size_t context_max) {
  return std::make_unique<EngineChatModel>(generator, bpe, std::move(name), context_max);
}

Result<std::unique_ptr<OwnedChatModel>> OpenChatModel(
    const std::string& path, std::size_t threads, const engine::PackedFileOptions& packed_file) {
  engine::LanguageModelOptions options;
  options.threads = threads;
  options.packed_file = packed_file;
  // A checkpoint that brings its own tokenizer needs none.
  options.rank_file = FindModelPath(kRankFile, ModelFolders("")).value_or("");
  Result<std::unique_ptr<engine::LanguageModel>> model = engine::LanguageModel::Open(path, options);
  if (!model) {
    return std::unexpected(model.error());
  }
  return ShareChatModel(std::move(*model));
}

std::unique_ptr<OwnedChatModel> ShareChatModel(std::shared_ptr<engine::LanguageModel> model) {
  return std::make_unique<LoadedChatModel>(std::move(model));
}

}  // namespace safeguard::apps
