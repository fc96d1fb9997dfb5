// Streams as upstreams send them, a client that reads what a guard released, and scorers that know
// three words. For tests and measurements.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "http/guard/json_event.h"
#include "http/guard/sse_parser.h"
#include "http/guard/window_scorer.h"

namespace safeguard::guard {

// A piece of an answer: what is said, thought, or passed to a tool.
struct Said {
  std::string text;
  TextKind kind = TextKind::kContent;
};

inline std::string ChatDelta(Json delta, Json finish = nullptr) {
  return SseFrame("", {{"id", "c-1"},
                       {"object", "chat.completion.chunk"},
                       {"created", 1},
                       {"model", "m"},
                       {"choices", Json::array({{{"index", 0},
                                                 {"delta", std::move(delta)},
                                                 {"logprobs", nullptr},
                                                 {"finish_reason", std::move(finish)}}})}});
}

inline std::string ChatStream(const std::vector<Said>& said) {
  std::string out = ChatDelta({{"role", "assistant"}, {"content", ""}});
  for (const Said& piece : said) {
    if (piece.kind == TextKind::kTool) {
      out +=
          ChatDelta({{"tool_calls",
                      Json::array({{{"index", 0}, {"function", {{"arguments", piece.text}}}}})}});
    } else {
      out += ChatDelta(
          {{piece.kind == TextKind::kReasoning ? "reasoning_content" : "content", piece.text}});
    }
  }
  return out + ChatDelta(Json::object(), "stop") + "data: [DONE]\n\n";
}

inline std::string ResponsesStream(const std::vector<Said>& said) {
  const Json head = {{"id", "r-1"},  {"object", "response"},    {"created_at", 1},
                     {"model", "m"}, {"status", "in_progress"}, {"output", Json::array()}};
  const auto event = [](const std::string& type, Json fields) {
    fields["type"] = type;
    return SseFrame(type, fields);
  };
  std::string out = event("response.created", {{"response", head}});
  std::map<std::string, std::string> whole;
  const auto prefix = [](TextKind kind) {
    return kind == TextKind::kTool        ? "function_call_arguments"
           : kind == TextKind::kReasoning ? "reasoning_text"
                                          : "output_text";
  };
  const auto index = [](TextKind kind) { return static_cast<int>(kind); };
  for (const Said& piece : said) {
    out += event(std::string("response.") + prefix(piece.kind) + ".delta",
                 {{"output_index", index(piece.kind)}, {"delta", piece.text}});
    whole[prefix(piece.kind)] += piece.text;
  }
  for (const TextKind kind : {TextKind::kContent, TextKind::kReasoning, TextKind::kTool}) {
    if (!whole[prefix(kind)].empty()) {
      out += event(std::string("response.") + prefix(kind) + ".done",
                   {{"output_index", index(kind)},
                    {kind == TextKind::kTool ? "arguments" : "text", whole[prefix(kind)]}});
    }
  }
  return out + event("response.completed", {{"response", head}});
}

inline std::string MessagesStream(const std::vector<Said>& said) {
  std::string out = SseFrame("message_start", {{"type", "message_start"},
                                               {"message",
                                                {{"id", "msg-1"},
                                                 {"type", "message"},
                                                 {"role", "assistant"},
                                                 {"content", Json::array()}}}});
  const auto stop = [&out](int index) {
    out += SseFrame("content_block_stop", {{"type", "content_block_stop"}, {"index", index}});
  };
  int index = -1;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const TextKind kind = said[i].kind;
    const bool opens = i == 0 || said[i - 1].kind != kind;
    const std::string type = kind == TextKind::kTool        ? "tool_use"
                             : kind == TextKind::kReasoning ? "thinking"
                                                            : "text";
    if (opens) {
      if (index >= 0) {
        stop(index);
      }
      out += SseFrame("content_block_start", {{"type", "content_block_start"},
                                              {"index", ++index},
                                              {"content_block", {{"type", type}}}});
    }
    const Json delta = kind == TextKind::kTool
                           ? Json{{"type", "input_json_delta"}, {"partial_json", said[i].text}}
                       : kind == TextKind::kReasoning
                           ? Json{{"type", "thinking_delta"}, {"thinking", said[i].text}}
                           : Json{{"type", "text_delta"}, {"text", said[i].text}};
    out += SseFrame("content_block_delta",
                    {{"type", "content_block_delta"}, {"index", index}, {"delta", delta}});
  }
  if (index >= 0) {
    stop(index);
  }
  out += SseFrame("message_delta",
                  {{"type", "message_delta"}, {"delta", {{"stop_reason", "end_turn"}}}});
  return out + SseFrame("message_stop", {{"type", "message_stop"}});
}

inline std::string PlainStream(const std::vector<Said>& said) {
  std::string out;
  for (const Said& piece : said) {
    out += piece.text;
  }
  return out;
}

inline std::string StreamIn(WireFormat format, const std::vector<Said>& said) {
  switch (format) {
    case WireFormat::kOpenAiChat:
      return ChatStream(said);
    case WireFormat::kOpenAiResponses:
      return ResponsesStream(said);
    case WireFormat::kAnthropicMessages:
      return MessagesStream(said);
    case WireFormat::kPlainText:
      break;
  }
  return PlainStream(said);
}

// What a reader of the released bytes has seen. It knows the formats, and nothing of the guard.
struct Seen {
  std::string content;
  std::string reasoning;
  std::string tools;
  std::string end;  // "stop", "content_filter", "refusal", "error", "completed", ...; last one wins
};

inline Seen Read(WireFormat format, const std::string& released) {
  Seen seen;
  if (format == WireFormat::kPlainText) {
    seen.content = released;
    return seen;
  }
  SseParser parser(released.size() + 1);
  std::vector<SseEvent> events;
  static_cast<void>(parser.Feed(released, events));
  for (const SseEvent& event : events) {
    const Json json = Json::parse(event.data, nullptr, false);
    const std::string type = StringAt(json, "type");
    if (!At(json, "error").is_null() || type == "error") {
      seen.end = "error";
    }
    if (At(json, "choices").is_array() && !json["choices"].empty()) {
      const Json& choice = json["choices"][0];
      const Json& delta = At(choice, "delta");
      seen.content += StringAt(delta, "content");
      seen.reasoning += StringAt(delta, "reasoning_content");
      if (At(delta, "tool_calls").is_array()) {
        seen.tools += StringAt(At(delta["tool_calls"][0], "function"), "arguments");
      }
      seen.end =
          At(choice, "finish_reason").is_null() ? seen.end : StringAt(choice, "finish_reason");
    } else if (type.starts_with("response.")) {
      const std::string delta = StringAt(json, "delta");
      seen.content += type == "response.output_text.delta" ? delta : "";
      seen.reasoning += type == "response.reasoning_text.delta" ? delta : "";
      seen.tools += type == "response.function_call_arguments.delta" ? delta : "";
      seen.end = type == "response.completed" ? "stop" : seen.end;
      if (type == "response.incomplete") {
        seen.end = StringAt(At(At(json, "response"), "incomplete_details"), "reason");
      }
    } else if (type == "content_block_delta") {
      seen.content += StringAt(At(json, "delta"), "text");
      seen.reasoning += StringAt(At(json, "delta"), "thinking");
      seen.tools += StringAt(At(json, "delta"), "partial_json");
    } else if (type == "message_delta") {
      seen.end = StringAt(At(json, "delta"), "stop_reason");
    }
  }
  return seen;
}

// "bad" is a violation, "maybe" a doubt, "unsure" cannot be judged; anything else is safe.
inline WindowScore ScoreWords(const std::string& text) {
  WindowScore score;
  score.by = "words";
  score.reason = moderation::UndeterminedReason::kNone;
  score.outcome = moderation::Outcome::kSafe;
  score.score = 0.01;
  if (text.find("bad") != std::string::npos) {
    score.outcome = moderation::Outcome::kViolation;
    score.score = 0.99;
  } else if (text.find("unsure") != std::string::npos) {
    score.outcome = moderation::Outcome::kUndetermined;
    score.reason = moderation::UndeterminedReason::kTimeout;
    score.score.reset();
  } else if (text.find("maybe") != std::string::npos) {
    score.score = 0.6;
  }
  return score;
}

class WordScorer final : public WindowScorer {
 public:
  explicit WordScorer(std::function<WindowScore(const std::string&)> words = ScoreWords)
      : words_(std::move(words)) {}
  void Score(ScoreRequest request, Done done) override {
    asked.push_back(request);
    done(request.id, words_(request.text));
  }

  std::vector<ScoreRequest> asked;

 private:
  std::function<WindowScore(const std::string&)> words_;
};

}  // namespace safeguard::guard
