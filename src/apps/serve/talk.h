// What the service talks with besides its judge: a model of its own, and an upstream.
#pragma once

#include <memory>

#include "apps/command_line/serve_arguments.h"
#include "apps/judge_choice.h"
#include "apps/serve/engine_chat_model.h"
#include "base/result.h"
#include "http/service.h"
#include "http/upstream.h"

namespace safeguard::apps {

struct Talk {
  std::unique_ptr<OwnedChatModel> chat;      // null: none
  std::unique_ptr<http::Upstream> upstream;  // null: none
  http::ProxyOptions proxy;
};

// `judge` says how many threads, and whether packed weights are kept. Where it is a reasoner on the
// same checkpoint, its model (`of_judge`, else null) is used, with its precision, and not opened a
// second time; else that of the chat model's checkpoint that a route reasons with (`of_route`, else
// null). kInvalidInput also for options of an upstream without one.
Result<Talk> OpenTalk(const TalkArguments& arguments, const JudgeChoice& judge,
                      std::shared_ptr<engine::LanguageModel> of_judge = nullptr,
                      std::shared_ptr<engine::LanguageModel> of_route = nullptr);

}  // namespace safeguard::apps
