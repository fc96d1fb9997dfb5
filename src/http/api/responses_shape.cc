// The shape of /v1/responses: items (the reasoning, the message), and as a stream one event for
// each thing that begins, grows or ends.
#include <utility>

#include "http/api/chat_run.h"
#include "http/domain_json.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

class ResponsesShape final : public ChatShape {
 public:
  ResponsesShape(std::string id, std::int64_t created, const ChatRequest& chat)
      : id_(std::move(id)),
        created_(created),
        model_(chat.model),
        temperature_(chat.question.temperature),
        top_p_(chat.question.top_p) {}

  std::string Begin() override {
    std::string out = Event("response.created", {{"response", ResponseJson("in_progress")}});
    out += Event("response.in_progress", {{"response", ResponseJson("in_progress")}});
    return out;
  }

  std::string Piece(const ChatPiece& piece) override {
    std::string out;
    if (open_ != (piece.reasoning ? Item::kReasoning : Item::kMessage)) {
      out = CloseItem("completed");
      out += OpenItem(piece.reasoning ? Item::kReasoning : Item::kMessage);
    }
    Add(piece);
    Json delta = Place();
    delta["delta"] = piece.text;
    if (!piece.reasoning) {
      delta["logprobs"] = Json::array();
    }
    return out +
           Event(piece.reasoning ? "response.reasoning_text.delta" : "response.output_text.delta",
                 std::move(delta));
  }

  std::string End(const ChatEnd& end) override {
    const char* status = Status(end);
    std::string out = CloseItem(EndProblem(end) ? "incomplete" : status);
    Json response = Whole(end);
    const std::string kind = response["status"].get<std::string>();
    return out + Event("response." + kind, {{"response", std::move(response)}});
  }

  void Add(const ChatPiece& piece) override {
    (piece.reasoning ? reasoning_ : content_) += piece.text;
  }

  Json Whole(const ChatEnd& end) override {
    Json json = ResponseJson(Status(end));
    Json output = Json::array();
    if (!reasoning_.empty()) {
      output.push_back(ReasoningItem("completed"));
    }
    if (!content_.empty()) {
      output.push_back(MessageItem(Status(end)));
    }
    json["output"] = std::move(output);
    if (end.why == ChatEnd::Why::kTokenLimit) {
      json["incomplete_details"] = {{"reason", "max_output_tokens"}};
    }
    if (const auto problem = EndProblem(end)) {
      json["error"] = {{"code", "server_error"}, {"message", problem->detail}};
    }
    json["usage"] = {{"input_tokens", end.prompt_tokens},
                     {"input_tokens_details", {{"cached_tokens", end.cached_tokens}}},
                     {"output_tokens", end.completion_tokens},
                     {"output_tokens_details", {{"reasoning_tokens", end.reasoning_tokens}}},
                     {"total_tokens", end.prompt_tokens + end.completion_tokens}};
    return json;
  }

 private:
  enum class Item { kNone, kReasoning, kMessage };

  static const char* Status(const ChatEnd& end) {
    return EndProblem(end)                        ? "failed"
           : end.why == ChatEnd::Why::kTokenLimit ? "incomplete"
                                                  : "completed";
  }

  [[nodiscard]] Json ResponseJson(const char* status) const {
    return {{"id", "resp_" + id_},
            {"object", "response"},
            {"created_at", created_},
            {"status", status},
            {"error", nullptr},
            {"incomplete_details", nullptr},
            {"instructions", nullptr},
            {"metadata", Json::object()},
            {"model", model_},
            {"output", Json::array()},
            {"parallel_tool_calls", false},
            {"store", false},
            {"temperature", temperature_},
            {"tool_choice", "none"},
            {"tools", Json::array()},
            {"top_p", top_p_}};
  }

  [[nodiscard]] Json ReasoningItem(const char* status) const {
    Json json = {{"id", "rs_" + id_}, {"type", "reasoning"}, {"summary", Json::array()}};
    json["content"] = Json::array();
    if (!reasoning_.empty()) {
      json["content"].push_back({{"type", "reasoning_text"}, {"text", reasoning_}});
    }
    json["status"] = status;
    return json;
  }

  [[nodiscard]] Json TextPart() const {
    return {{"type", "output_text"},
            {"text", content_},
            {"annotations", Json::array()},
            {"logprobs", Json::array()}};
  }

  [[nodiscard]] Json MessageItem(const char* status) const {
    Json json = {{"id", "msg_" + id_}, {"type", "message"}, {"role", "assistant"}};
    json["status"] = status;
    json["content"] = Json::array();
    if (!content_.empty()) {
      json["content"].push_back(TextPart());
    }
    return json;
  }

  // Where the open item's text stands.
  [[nodiscard]] Json Place() const {
    return {{"item_id", (open_ == Item::kReasoning ? "rs_" : "msg_") + id_},
            {"output_index", items_ - 1},
            {"content_index", 0}};
  }

  std::string OpenItem(Item item) {
    open_ = item;
    ++items_;
    Json begun = {{"output_index", items_ - 1}};
    begun["item"] =
        item == Item::kReasoning ? ReasoningItem("in_progress") : MessageItem("in_progress");
    std::string out = Event("response.output_item.added", std::move(begun));
    if (item == Item::kMessage) {
      Json part = Place();
      part["part"] = TextPart();
      out += Event("response.content_part.added", std::move(part));
    }
    return out;
  }

  std::string CloseItem(const char* status) {
    if (open_ == Item::kNone) {
      return "";
    }
    const bool reasoning = open_ == Item::kReasoning;
    Json text = Place();
    text["text"] = reasoning ? reasoning_ : content_;
    if (!reasoning) {
      text["logprobs"] = Json::array();
    }
    std::string out = Event(
        reasoning ? "response.reasoning_text.done" : "response.output_text.done", std::move(text));
    if (!reasoning) {
      Json part = Place();
      part["part"] = TextPart();
      out += Event("response.content_part.done", std::move(part));
    }
    Json done = {{"output_index", items_ - 1}};
    done["item"] = reasoning ? ReasoningItem(status) : MessageItem(status);
    open_ = Item::kNone;
    return out + Event("response.output_item.done", std::move(done));
  }

  std::string Event(const std::string& type, Json fields) {
    Json json = {{"type", type}, {"sequence_number", sequence_++}};
    json.update(fields);
    return "event: " + type + "\ndata: " + JsonLine(json) + "\n\n";
  }

  std::string id_;
  std::int64_t created_;
  std::string model_;
  double temperature_;
  double top_p_;
  std::string reasoning_;
  std::string content_;
  Item open_ = Item::kNone;
  int items_ = 0;
  int sequence_ = 0;
};

}  // namespace

std::shared_ptr<ChatShape> MakeResponsesShape(const RouteContext& context, const Request& request,
                                              const ChatRequest& chat) {
  return std::make_shared<ResponsesShape>(request.id, context.parts.now() / 1000, chat);
}

}  // namespace safeguard::http
