#include "http/api/chat_run.h"

#include <utility>

#include "http/domain_json.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

// A client that lets this much wait reads too slowly to be kept.
constexpr std::size_t kWaitingBytesMax = std::size_t{4} << 20;

const char* ToString(ChatEnd::Why why) {
  switch (why) {
    case ChatEnd::Why::kComplete:
      return "complete";
    case ChatEnd::Why::kTokenLimit:
      return "token_limit";
    case ChatEnd::Why::kTimeLimit:
      return "time_limit";
    case ChatEnd::Why::kCancelled:
      return "cancelled";
    case ChatEnd::Why::kFailed:
      break;
  }
  return "failed";
}

// Writes that an answer has ended, and takes what was written from the caller's quota.
void ReportEnd(const RouteContext& context, const Request& request, const ChatEnd& end) {
  context.parts.keys.Charge(request.caller_id, end.completion_tokens, context.parts.now());
  Json line = {{"level", end.why == ChatEnd::Why::kFailed ? "error" : "info"},
               {"event", "model-answer"},
               {"request_id", request.id},
               {"end", ToString(end.why)},
               {"prompt_tokens", end.prompt_tokens},
               {"completion_tokens", end.completion_tokens}};
  context.parts.log_line(JsonLine(line));
}

Problem AskProblem(const Error& error) {
  Problem problem = ProblemOf(error);
  if (error.code == ErrorCode::kLimit) {
    problem.status = 429;
    problem.code = "overloaded";
    problem.retry_after = 1;
  } else if (error.code == ErrorCode::kInvalidInput) {
    problem.status = 400;
    problem.code = "invalid-request";
  }
  return problem;
}

}  // namespace

bool IsChatModel(const RouteContext& context, const std::string& model) {
  return context.parts.chat != nullptr && context.parts.chat->name() == model;
}

std::optional<Problem> EndProblem(const ChatEnd& end) {
  switch (end.why) {
    case ChatEnd::Why::kComplete:
    case ChatEnd::Why::kTokenLimit:
      return std::nullopt;
    case ChatEnd::Why::kTimeLimit:
      return Problem{504,
                     "undetermined",
                     "the time was up before the model had answered",
                     "ask with less effort, fewer tokens or a shorter policy",
                     {}};
    case ChatEnd::Why::kCancelled:
      return Problem{503, "cancelled", "the service stops", "send again", {}, 1};
    case ChatEnd::Why::kFailed:
      break;
  }
  return Problem{500,
                 "model-failed",
                 "the model gave no answer that can be read: " + end.detail,
                 "send again; if it stays, see the log",
                 {}};
}

Json OpenAiError(const Problem& problem) {
  const std::string message =
      problem.hint.empty() ? problem.detail : problem.detail + " (" + problem.hint + ")";
  return {{"message", message},
          {"type", problem.status < 500 ? "invalid_request_error" : "server_error"},
          {"param", nullptr},
          {"code", problem.code}};
}

void RunChat(const RouteContext& context, const std::shared_ptr<Request>& request,
             const Reply& reply, ChatRequest chat, std::shared_ptr<ChatShape> shape) {
  ChatModel& model = *context.parts.chat;
  chat.question.time_max = context.options.chat_time_max;
  chat.question.tenant = request->tenant;
  const std::string id = request->id;
  const auto refuse = [&](const Error& error) {
    reply(ProblemResponse(AskProblem(error), id, true));
  };
  if (!chat.stream) {
    const auto asked = model.Ask(
        std::move(chat.question), [shape](const ChatPiece& piece) { shape->Add(piece); },
        [&context, shape, reply, request, id](const ChatEnd& end) {
          ReportEnd(context, *request, end);
          if (const auto problem = EndProblem(end)) {
            reply(ProblemResponse(*problem, id, true));
            return;
          }
          Response response;
          response.body = JsonLine(shape->Whole(end));
          reply(std::move(response));
        });
    if (!asked) {
      refuse(asked.error());
    }
    return;
  }
  auto body = std::make_shared<BodyStream>();
  body->Write(shape->Begin());
  const auto asked = model.Ask(
      std::move(chat.question),
      [shape, body](const ChatPiece& piece) {
        body->Write(shape->Piece(piece));
        if (body->waiting() > kWaitingBytesMax) {
          body->Break();
        }
      },
      [&context, shape, body, request](const ChatEnd& end) {
        ReportEnd(context, *request, end);
        body->Write(shape->End(end));
        body->End();
      });
  if (!asked) {
    refuse(asked.error());
    return;
  }
  // A client that has left needs no more tokens.
  body->OnClosed([&model, question = *asked] { model.Cancel(question); });
  Response response;
  response.content_type = "text/event-stream";
  response.stream = std::move(body);
  reply(std::move(response));
}

}  // namespace safeguard::http
