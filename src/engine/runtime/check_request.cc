// What a request must be before it may enter the queue.
#include <algorithm>
#include <set>
#include <string>

#include "engine/runtime/scheduler.h"

namespace safeguard::engine {
namespace {

std::unexpected<Error> Refuse(const std::string& what, const std::string& hint) {
  return Fail(ErrorCode::kInvalidInput, what, hint);
}

bool AllBelow(const std::vector<std::uint32_t>& ids, std::size_t vocabulary) {
  return std::ranges::all_of(ids, [vocabulary](std::uint32_t id) { return id < vocabulary; });
}

Status CheckProbe(const LabelProbe& probe) {
  const std::set<std::string> labels(probe.labels.begin(), probe.labels.end());
  if (labels.empty() || labels.size() != probe.labels.size() || labels.contains("") ||
      labels.size() > kProbeLabelsMax) {
    return Refuse("the labels to score cannot be used",
                  "give 1 to " + std::to_string(kProbeLabelsMax) + " different ones, none empty");
  }
  return {};
}

}  // namespace

Status CheckRequest(const GenerationRequest& request, std::size_t vocabulary,
                    std::size_t context_max) {
  if (request.prompt.empty()) {
    return Refuse("the prompt is empty", "give at least one token");
  }
  if (request.prompt.size() >= context_max) {
    return Fail(ErrorCode::kLimit,
                "the prompt has " + std::to_string(request.prompt.size()) + " tokens",
                "the model takes fewer than " + std::to_string(context_max));
  }
  if (!AllBelow(request.prompt, vocabulary) || !AllBelow(request.script, vocabulary) ||
      !AllBelow(request.stop_tokens, vocabulary)) {
    return Refuse("a token id outside the vocabulary",
                  "ids of prompt, script and stop_tokens are below " + std::to_string(vocabulary));
  }
  std::size_t previous = 0;
  for (const std::size_t end : request.prefix_ends) {
    if (end <= previous || end > request.prompt.size()) {
      return Refuse("prefix_ends are not in order", "ascending, from 1 to the prompt's length");
    }
    previous = end;
  }
  if (request.reasoning) {
    const ChannelTokens& ids = request.reasoning->tokens;
    if (!AllBelow({ids.start, ids.end, ids.message, ids.channel, ids.assistant, ids.final},
                  vocabulary)) {
      return Refuse("a channel token outside the vocabulary", "give the ids of the tokenizer");
    }
  }
  if (request.probe) {
    if (Status status = CheckProbe(*request.probe); !status) {
      return status;
    }
  }
  return CheckSampling(request.sampling, vocabulary);
}

Status CheckMemory(const GenerationRequest& request, const Forward& forward,
                   std::size_t cache_bytes_max, std::size_t step_tokens_max) {
  const std::size_t room = forward.config().context_max - request.prompt.size();
  const std::size_t tokens = request.prompt.size() + std::min(request.tokens_max, room);
  const std::size_t bytes = forward.BytesFor(tokens, step_tokens_max);
  if (bytes <= cache_bytes_max) {
    return {};
  }
  return Fail(ErrorCode::kLimit,
              "prompt and answer may come to " + std::to_string(tokens) + " tokens, which take " +
                  std::to_string(bytes >> 20) + " MiB of keys and values; the limit is " +
                  std::to_string(cache_bytes_max >> 20) + " MiB",
              "shorten the prompt, lower the limit of answer tokens, or allow more memory");
}

}  // namespace safeguard::engine
