// The shape of /v1/chat/completions. Reasoning stands in both fields that servers use for it,
// "reasoning" and "reasoning_content", and never in the content.
#include <utility>

#include "base/utf8.h"
#include "http/api/chat_run.h"
#include "http/domain_json.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

Json BytesJson(const std::string& bytes) {
  Json list = Json::array();
  for (const char c : bytes) {
    list.push_back(static_cast<unsigned char>(c));
  }
  return list;
}

Json ScoreJson(const std::string& bytes, double logprob) {
  // Of a part of a character the text says nothing; the bytes do.
  return {{"token", RepairUtf8(bytes).text}, {"logprob", logprob}, {"bytes", BytesJson(bytes)}};
}

Json ScoresJson(const std::vector<TokenScore>& scores) {
  Json list = Json::array();
  for (const TokenScore& score : scores) {
    Json one = ScoreJson(score.bytes, score.logprob);
    one["top_logprobs"] = Json::array();
    for (const auto& [bytes, logprob] : score.top) {
      one["top_logprobs"].push_back(ScoreJson(bytes, logprob));
    }
    list.push_back(std::move(one));
  }
  return list;
}

class CompletionShape final : public ChatShape {
 public:
  CompletionShape(std::string id, std::int64_t created, const ChatRequest& chat)
      : id_("chatcmpl-" + std::move(id)),
        created_(created),
        model_(chat.model),
        usage_(chat.include_usage),
        reasoning_too_(chat.include_reasoning),
        logprobs_(chat.question.logprobs) {}

  std::string Begin() override {
    return Chunk({{"role", "assistant"}, {"content", ""}}, nullptr, nullptr);
  }

  std::string Piece(const ChatPiece& piece) override {
    if (piece.reasoning) {
      return reasoning_too_ ? Chunk({{"reasoning", piece.text}, {"reasoning_content", piece.text}},
                                    nullptr, nullptr)
                            : "";
    }
    return Chunk({{"content", piece.text}}, logprobs_ ? &piece.scores : nullptr, nullptr);
  }

  std::string End(const ChatEnd& end) override {
    if (const auto problem = EndProblem(end)) {
      return "data: " + JsonLine({{"error", OpenAiError(*problem)}}) + "\n\ndata: [DONE]\n\n";
    }
    std::string out = Chunk(Json::object(), nullptr, FinishReason(end));
    if (usage_) {
      Json json = Head("chat.completion.chunk");
      json["choices"] = Json::array();
      json["usage"] = UsageJson(end);
      out += "data: " + JsonLine(json) + "\n\n";
    }
    return out + "data: [DONE]\n\n";
  }

  void Add(const ChatPiece& piece) override {
    (piece.reasoning ? reasoning_ : content_) += piece.text;
    if (!piece.reasoning) {
      scores_.insert(scores_.end(), piece.scores.begin(), piece.scores.end());
    }
  }

  Json Whole(const ChatEnd& end) override {
    Json message = {{"role", "assistant"}, {"content", content_}, {"refusal", nullptr}};
    if (reasoning_too_) {
      message["reasoning"] = reasoning_;
      message["reasoning_content"] = reasoning_;
    }
    Json logprobs = nullptr;
    if (logprobs_) {
      logprobs = {{"content", ScoresJson(scores_)}, {"refusal", nullptr}};
    }
    Json json = Head("chat.completion");
    json["choices"] = Json::array({{{"index", 0},
                                    {"message", std::move(message)},
                                    {"logprobs", std::move(logprobs)},
                                    {"finish_reason", FinishReason(end)}}});
    json["usage"] = UsageJson(end);
    return json;
  }

 private:
  static const char* FinishReason(const ChatEnd& end) {
    return end.why == ChatEnd::Why::kTokenLimit ? "length" : "stop";
  }

  static Json UsageJson(const ChatEnd& end) {
    return {{"prompt_tokens", end.prompt_tokens},
            {"completion_tokens", end.completion_tokens},
            {"total_tokens", end.prompt_tokens + end.completion_tokens},
            {"prompt_tokens_details", {{"cached_tokens", end.cached_tokens}}},
            {"completion_tokens_details", {{"reasoning_tokens", end.reasoning_tokens}}}};
  }

  [[nodiscard]] Json Head(const char* object) const {
    return {{"id", id_}, {"object", object}, {"created", created_}, {"model", model_}};
  }

  std::string Chunk(Json delta, const std::vector<TokenScore>* scores, const char* finish) {
    Json choice = {{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", nullptr}};
    if (finish != nullptr) {
      choice["finish_reason"] = finish;
    }
    if (scores != nullptr) {
      choice["logprobs"] = {{"content", ScoresJson(*scores)}, {"refusal", nullptr}};
    }
    Json json = Head("chat.completion.chunk");
    json["choices"] = Json::array({std::move(choice)});
    return "data: " + JsonLine(json) + "\n\n";
  }

  std::string id_;
  std::int64_t created_;
  std::string model_;
  bool usage_;
  bool reasoning_too_;
  bool logprobs_;
  std::string reasoning_;
  std::string content_;
  std::vector<TokenScore> scores_;
};

}  // namespace

std::shared_ptr<ChatShape> MakeCompletionShape(const RouteContext& context, const Request& request,
                                               const ChatRequest& chat) {
  return std::make_shared<CompletionShape>(request.id, context.parts.now() / 1000, chat);
}

}  // namespace safeguard::http
