// What goes into the next step.
#include <algorithm>
#include <tuple>

#include "engine/runtime/scheduler.h"

namespace safeguard::engine {

// Decoding requests get one token each for sure, more of a forced run from what is left; then come
// drafts, then prompts.
std::vector<Scheduler::Share> Scheduler::Plan() {
  std::vector<Share> shares;
  std::size_t budget = settings_.step_tokens_max;
  std::size_t decoding = 0;
  for (const auto& request : active_) {
    decoding += request->decoding ? 1 : 0;
  }
  for (const auto& request : active_) {
    if (request->decoding) {
      --decoding;
      const std::size_t tokens = std::min(request->Remaining(), budget - decoding);
      shares.push_back({request.get(), tokens});
      budget -= tokens;
    }
  }
  const std::size_t decoders = shares.size();
  PlanPrefill(shares, budget);
  for (Share& share : shares) {
    budget -= share.request->decoding ? 0 : share.tokens;
    if (share.tokens == share.request->Remaining() && share.request->tokens_max > 0) {
      share.rows = decoder_.RowsNeeded(*share.request);
      share.logits = 1;
    }
  }
  if (decoders > 0) {
    PlanDrafts(shares, budget);
  }
  std::erase_if(shares, [](const Share& share) { return share.request->ended; });
  return shares;
}

// Interactive requests first, and the oldest batch request that has waited long; then who has had
// least, then who was admitted first.
void Scheduler::PlanPrefill(std::vector<Share>& shares, std::size_t budget) {
  const Time now = settings_.now();
  std::vector<RequestState*> waiting;
  const RequestState* patient = nullptr;
  bool interactive = false;
  for (const auto& request : active_) {
    interactive = interactive || request->request.priority == Priority::kInteractive;
    if (!request->decoding) {
      waiting.push_back(request.get());
      if (patient == nullptr && request->request.priority == Priority::kBatch &&
          queue_.HasWaitedLong(*request, now)) {
        patient = request.get();
      }
    }
  }
  std::ranges::stable_sort(waiting, {}, [&](const RequestState* request) {
    const bool first = request->request.priority == Priority::kInteractive || request == patient;
    return std::tuple(!first, *request->level);
  });
  std::size_t batch_budget = interactive ? settings_.batch_step_tokens_max : budget;
  for (RequestState* request : waiting) {
    const bool batch = request->request.priority == Priority::kBatch;
    std::size_t tokens = std::min({request->Remaining(), budget, batch ? batch_budget : budget});
    if (tokens == 0) {
      continue;
    }
    const std::size_t done = forward_.Length(request->sequence);
    for (const std::size_t end : request->request.prefix_ends) {
      if (end > done) {
        tokens = std::min(tokens, end - done);
        break;
      }
    }
    shares.push_back({request, tokens});
    budget -= tokens;
    batch_budget -= batch ? tokens : 0;
  }
}

void Scheduler::PlanDrafts(std::vector<Share>& shares, std::size_t budget) {
  const DraftSettings& drafts = settings_.drafts;
  std::size_t rows = 0;
  std::size_t decoding = 0;
  for (const Share& share : shares) {
    rows += share.logits;
    decoding += share.request->decoding ? 1 : 0;
  }
  const bool always = drafts.mode == DraftSettings::Mode::kAlways;
  if (drafts.mode == DraftSettings::Mode::kOff || (!always && decoding < drafts.batch_min)) {
    return;
  }
  for (Share& share : shares) {
    RequestState& request = *share.request;
    const std::size_t known = request.result.tokens.size();
    if (!request.decoding || share.logits == 0 || !share.rows.empty() || request.ended ||
        known >= request.tokens_max) {
      continue;
    }
    if (request.lookup == nullptr) {
      request.lookup = std::make_unique<PromptLookup>(request.Text());
    }
    std::size_t count = std::min({drafts.tokens_max, budget, request.tokens_max - known});
    if (!always) {
      const std::size_t room = drafts.rows_max - std::min(rows, drafts.rows_max);
      count = request.lookup->WorthGuessing(std::min(count, room));
    }
    request.draft = request.lookup->Guess(count);
    share.logits += request.draft.size();
    rows += request.draft.size();
    budget -= request.draft.size();
  }
}

}  // namespace safeguard::engine
