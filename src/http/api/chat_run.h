// One question to the model, answered whole or as a stream of server-sent events.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "http/api/chat_input.h"
#include "http/api/routes.h"
#include "http/chat_model.h"

namespace safeguard::http {

// An answer in one API's shape. Used by one thread at a time.
class ChatShape {
 public:
  virtual ~ChatShape() = default;
  // Of a stream: its first events, those of one piece, and the last ones.
  virtual std::string Begin() = 0;
  virtual std::string Piece(const ChatPiece& piece) = 0;
  virtual std::string End(const ChatEnd& end) = 0;
  // Of an answer that is given whole.
  virtual void Add(const ChatPiece& piece) = 0;
  virtual nlohmann::ordered_json Whole(const ChatEnd& end) = 0;
};

// Whether `model` is the one that `context` talks to.
bool IsChatModel(const RouteContext& context, const std::string& model);

void RunChat(const RouteContext& context, const std::shared_ptr<Request>& request,
             const Reply& reply, ChatRequest chat, std::shared_ptr<ChatShape> shape);

// What is wrong with an answer that did not come to its end; nothing when it did, or when its
// tokens ran out, which each shape tells in its own way.
std::optional<Problem> EndProblem(const ChatEnd& end);
nlohmann::ordered_json OpenAiError(const Problem& problem);

std::shared_ptr<ChatShape> MakeCompletionShape(const RouteContext& context, const Request& request,
                                               const ChatRequest& chat);
std::shared_ptr<ChatShape> MakeResponsesShape(const RouteContext& context, const Request& request,
                                              const ChatRequest& chat);

}  // namespace safeguard::http
