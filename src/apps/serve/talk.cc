#include "apps/serve/talk.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "apps/input/packed_files.h"
#include "http/guard/guard_settings.h"

namespace safeguard::apps {
namespace {

http::ProxyMode ModeOf(const std::string& word) {
  return word == "score" ? http::ProxyMode::kScore : http::ProxyMode::kBlock;
}

guard::FailMode FailOf(const std::string& word) {
  return guard::FailModeFrom(word).value_or(guard::FailMode::kClosed);
}

}  // namespace

Result<Talk> OpenTalk(const TalkArguments& arguments, const JudgeChoice& judge,
                      std::shared_ptr<engine::LanguageModel> of_judge,
                      std::shared_ptr<engine::LanguageModel> of_route) {
  Talk talk;
  std::error_code missing;  // opening it says what is wrong
  if (of_judge != nullptr &&
      std::filesystem::equivalent(arguments.chat_model, judge.model, missing)) {
    talk.chat = ShareChatModel(std::move(of_judge));
  } else if (!arguments.chat_model.empty() && of_route != nullptr) {
    talk.chat = ShareChatModel(std::move(of_route));
  } else if (!arguments.chat_model.empty()) {
    Result<std::unique_ptr<OwnedChatModel>> chat =
        OpenChatModel(arguments.chat_model, judge.threads, PackedFiles(judge.packed_file));
    if (!chat) {
      return std::unexpected(chat.error());
    }
    talk.chat = std::move(*chat);
  }
  if (arguments.upstream.empty()) {
    if (!arguments.upstream_allow.empty() || !arguments.upstream_key_env.empty() ||
        !arguments.policies.empty() || !arguments.slow_judge.empty() || arguments.require_route) {
      return Fail(ErrorCode::kInvalidInput, "options of an upstream, and no upstream",
                  "say where it is with --upstream");
    }
    return talk;
  }
  if (arguments.slow_judge.empty() &&
      (arguments.input_fail == "degrade" || arguments.output_fail == "degrade")) {
    return Fail(ErrorCode::kInvalidInput, "degrade asks a slow judge, and there is none",
                "name its checkpoint with --slow-judge");
  }
  if (arguments.visible_tokens > 0 && arguments.visible_ms == 0) {
    return Fail(ErrorCode::kInvalidInput,
                "with --visible-ms 0 nothing is visible before it is judged, and --visible-tokens "
                "says otherwise",
                "raise the one or leave out the other");
  }
  Result<std::unique_ptr<http::Upstream>> upstream = http::OpenUpstream(
      {.url = arguments.upstream, .allowed = arguments.upstream_allow, .certificates = ""});
  if (!upstream) {
    return std::unexpected(upstream.error());
  }
  talk.upstream = std::move(*upstream);
  if (!arguments.upstream_key_env.empty()) {
    const char* const key = std::getenv(arguments.upstream_key_env.c_str());
    if (key == nullptr || *key == '\0') {
      return Fail(ErrorCode::kInvalidInput, "the environment has no " + arguments.upstream_key_env,
                  "set it to the upstream's key");
    }
    talk.proxy.upstream_key = key;
  }
  talk.proxy.guard.input = ModeOf(arguments.input);
  talk.proxy.guard.output = ModeOf(arguments.output);
  talk.proxy.guard.input_fail = FailOf(arguments.input_fail);
  talk.proxy.guard.output_fail = FailOf(arguments.output_fail);
  talk.proxy.guard.input_policies = arguments.policies;
  talk.proxy.guard.output_policies = arguments.policies;
  talk.proxy.guard.stream.contract = {
      .tokens_max = arguments.visible_tokens,
      .visible_max = std::chrono::milliseconds(arguments.visible_ms)};
  talk.proxy.need_route = arguments.require_route;
  talk.proxy.exchanges_max = arguments.exchanges;
  return talk;
}

}  // namespace safeguard::apps
