#include <chrono>
#include <mutex>
#include <utility>

#include "judges/reasoner/open_model.h"
#include "judges/reasoner/reasoner_policy.h"
#include "judges/reasoner_judge.h"

namespace safeguard::judges {
namespace {

struct Asked {
  std::string name;
  Question question;
};

Result<std::vector<Asked>> Questions(const engine::Bpe& bpe, const ReasonerSettings& settings,
                                     std::span<const moderation::Policy* const> policies) {
  std::vector<Asked> asked;
  if (settings.options.joint && policies.size() > 1) {
    Result<Question> question =
        MakeJointQuestion(bpe, settings, {policies.begin(), policies.end()});
    if (!question) {
      return std::unexpected(question.error());
    }
    std::string names;
    for (const moderation::Policy* policy : policies) {
      names += (names.empty() ? "" : " + ") + policy->id;
    }
    asked.push_back({std::move(names), std::move(*question)});
    return asked;
  }
  for (const moderation::Policy* policy : policies) {
    const auto prepared = ReasonerPolicy::Make(bpe, settings, *policy);
    if (!prepared) {
      return std::unexpected(prepared.error());
    }
    asked.push_back({policy->id, (*prepared)->question()});
  }
  return asked;
}

}  // namespace

Result<std::vector<WarmedPolicy>> WarmPolicies(
    const ReasonerOptions& options, std::span<const moderation::Policy* const> policies) {
  Result<ReasonerSettings> settings = UnderstandOptions(options);
  if (!settings) {
    return std::unexpected(settings.error());
  }
  std::mutex mutex;
  std::string trouble;
  settings->options.on_note = [&](const std::string& note) {
    const std::scoped_lock lock(mutex);
    trouble = note;
    if (options.on_note) {
      options.on_note(note);
    }
  };
  std::vector<WarmedPolicy> warmed;
  std::size_t to_store = 0;
  {
    const auto model = OpenModel(*settings);
    if (!model) {
      return std::unexpected(model.error());
    }
    const auto asked = Questions((*model)->bpe(), *settings, policies);
    if (!asked) {
      return std::unexpected(asked.error());
    }
    for (const auto& [name, question] : *asked) {
      std::vector<std::uint32_t> prompt = question.prefix;
      prompt.push_back(engine::ChannelTokens{}.start);  // a prefix serves what goes on from it
      engine::GenerationRequest request = MakeRequest(*settings, question, std::move(prompt));
      request.tokens_max = 0;
      request.probe.reset();
      request.time_max.reset();
      const auto begin = std::chrono::steady_clock::now();
      const engine::GenerationResult result = (*model)->generator().Run(std::move(request));
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      if (result.error) {
        return std::unexpected(*result.error);
      }
      const std::size_t tokens = question.prefix.size();
      const bool was_there = result.usage.cached_tokens == tokens;
      to_store += was_there ? 0 : 1;
      warmed.push_back({name, tokens, was_there, took.count()});
    }
  }  // the model's end waits until all is written
  const std::scoped_lock lock(mutex);
  if (to_store > 0 && !trouble.empty()) {
    return Fail(ErrorCode::kUnavailable, trouble, "make room in " + options.prefix_folder);
  }
  return warmed;
}

}  // namespace safeguard::judges
