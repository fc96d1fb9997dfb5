#include "judges/reasoner/reasoner_judge.h"

#include <algorithm>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/check.h"
#include "judges/reasoner/named_counters.h"
#include "judges/reasoner/read_result.h"
#include "judges/reasoner/reasoner_policy.h"
#include "judges/reasoner/thought_reader.h"
#include "judges/reasoner/token_hash.h"
#include "moderation/receipt.h"

namespace safeguard::judges {
namespace {

using engine::GenerationRequest;
using engine::GenerationResult;
using moderation::Content;
using moderation::Policy;
using moderation::PreparedPolicy;
using moderation::UndeterminedReason;
using moderation::Verdict;
using Policies = std::span<const std::shared_ptr<const PreparedPolicy>>;

// Fewer tokens in common are computed again rather than kept.
constexpr std::size_t kSharedTokensMin = 32;
constexpr std::chrono::milliseconds kLookAtStop{50};

// Requests given to the generator at once, never more than it can queue, and waited for.
class Flight {
 public:
  // `stop` calls off what has not landed.
  Flight(engine::Generator& generator, std::size_t room, std::stop_token stop = {})
      : generator_(generator), room_(room), stop_(std::move(stop)) {}
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  ~Flight() { Land(); }

  // `result` must live until Land. What the generator refuses is a result with kError.
  void Send(GenerationRequest request, GenerationResult& result) {
    WaitUntilBelow(room_);
    {
      const std::scoped_lock lock(mutex_);
      ++open_;
    }
    const Result<engine::RequestId> id =
        generator_.Submit(std::move(request), [this, &result](GenerationResult done) {
          result = std::move(done);
          Close();
        });
    if (!id) {
      result.error = id.error();
      Close();
    } else if (stop_.stop_possible()) {
      calls_off_.emplace_back(stop_, [this, id = *id] { generator_.Cancel(id); });
    }
  }

  void Land() { WaitUntilBelow(1); }

 private:
  void WaitUntilBelow(std::size_t count) {
    std::unique_lock lock(mutex_);
    closed_.wait(lock, [&] { return open_ < count; });
  }
  void Close() {
    const std::scoped_lock lock(mutex_);  // held over the notice: the waiter may destroy us
    --open_;
    closed_.notify_all();
  }

  engine::Generator& generator_;
  std::size_t room_;
  std::stop_token stop_;
  std::list<std::stop_callback<std::function<void()>>> calls_off_;
  std::mutex mutex_;
  std::condition_variable closed_;
  std::size_t open_ = 0;  // guarded by mutex_
};

class ReasonerJudge final : public moderation::Judge {
 public:
  ReasonerJudge(engine::Generator& generator, const engine::Bpe& bpe, moderation::DecidedBy model,
                const ReasonerSettings& settings)
      : generator_(generator), bpe_(bpe), model_(std::move(model)), settings_(settings) {}

  // Golden cases are not shown to the model: they are what it is measured by.
  Result<std::shared_ptr<const PreparedPolicy>> Prepare(
      const Policy& policy, std::span<const moderation::GoldenCase> golden) override {
    return PrepareFor(policy, golden, "");
  }

  Result<std::shared_ptr<const PreparedPolicy>> PrepareFor(
      const Policy& policy, std::span<const moderation::GoldenCase> /*golden*/,
      const std::string& owner) override {
    Result<std::shared_ptr<const ReasonerPolicy>> prepared =
        ReasonerPolicy::Make(bpe_, settings_, policy, owner);
    if (!prepared) {
      return std::unexpected(prepared.error());
    }
    return *prepared;
  }

  std::vector<Verdict> Decide(Policies policies, std::span<const Content> contents) override {
    return DecideBefore(policies, contents, {});
  }

  std::vector<Verdict> DecideUntil(Policies policies, std::span<const Content> contents,
                                   const moderation::StopSignal& stop) override {
    std::stop_source called_off;
    if (stop()) {
      called_off.request_stop();
    }
    const std::jthread watch([&](const std::stop_token& decided) {
      std::mutex mutex;
      std::condition_variable_any ended;
      std::unique_lock lock(mutex);
      while (!decided.stop_requested() && !called_off.stop_requested()) {
        ended.wait_for(lock, decided, kLookAtStop, [] { return false; });
        if (stop()) {
          called_off.request_stop();
        }
      }
    });
    return DecideBefore(policies, contents, {{}, called_off.get_token()});
  }

  std::vector<Verdict> DecideAloud(Policies policies, const Content& content,
                                   const moderation::Onlooker& onlooker) override {
    return DecideBefore(policies, std::span(&content, 1), onlooker);
  }

  std::vector<Verdict> DecideSample(Policies policies, std::span<const Content> contents,
                                    std::uint64_t sample) override {
    // Prompts do not depend on the seed, so the policies serve this judge as well.
    ReasonerSettings other = settings_;
    other.options.seed += sample;
    moderation::DecidedBy model = model_;
    model.settings["seed"] = std::to_string(other.options.seed);
    return ReasonerJudge(generator_, bpe_, std::move(model), other).Decide(policies, contents);
  }

  [[nodiscard]] std::vector<std::pair<std::string, double>> Counters() const override {
    return NamedCounters(generator_.counters());
  }

 private:
  std::vector<Verdict> DecideBefore(Policies policies, std::span<const Content> contents,
                                    const moderation::Onlooker& onlooker) const {
    std::vector<Verdict> verdicts(policies.size() * contents.size());
    if (settings_.options.joint && policies.size() > 1) {
      DecideJointly(policies, contents, onlooker, verdicts);
    } else {
      DecideEach(policies, contents, onlooker, verdicts);
    }
    for (Verdict& verdict : verdicts) {
      std::map<std::string, std::string> hashes = std::move(verdict.decided_by.settings);
      verdict.decided_by = model_;
      verdict.decided_by.settings.merge(hashes);
    }
    return verdicts;
  }

  // What was read and written, as a receipt tells it.
  static std::map<std::string, std::string> HashesOf(std::string prompt,
                                                     const GenerationResult& result) {
    std::vector<std::uint32_t> answer;
    for (const engine::GeneratedToken& token : result.tokens) {
      answer.push_back(token.id);
    }
    return {{"prompt_ids", std::move(prompt)}, {"answer_ids", TokenHash(answer)}};
  }

  // `request` tells its reasoning, where somebody looks on.
  void TellThoughts(const moderation::Onlooker& onlooker, std::size_t policy,
                    GenerationRequest& request) const {
    if (onlooker.on_reasoning) {
      auto reader = std::make_shared<ThoughtReader>(
          bpe_,
          [&onlooker, policy](std::string_view text) { onlooker.on_reasoning(policy, text); });
      request.on_token = [reader](const engine::GeneratedToken& token) { reader->Push(token); };
    }
  }

  static const ReasonerPolicy& Prepared(const std::shared_ptr<const PreparedPolicy>& policy) {
    const auto* prepared = dynamic_cast<const ReasonerPolicy*>(policy.get());
    CHECK(prepared != nullptr);  // of another judge
    return *prepared;
  }

  // Tokens that the prompts of all of several policies begin with: the system message, and what
  // versions of one policy have in common.
  static std::size_t SharedBeginning(Policies policies) {
    if (policies.size() < 2) {
      return 0;
    }
    std::span<const std::uint32_t> shared = Prepared(policies.front()).question().prefix;
    for (const auto& policy : policies.subspan(1)) {
      const auto same = std::ranges::mismatch(shared, Prepared(policy).question().prefix);
      shared = shared.first(static_cast<std::size_t>(same.in1 - shared.begin()));
    }
    return shared.size() < kSharedTokensMin ? 0 : shared.size();
  }

  // What needs no model to be known.
  [[nodiscard]] std::optional<Verdict> Refuse(const Policy& policy, const Content& content) const {
    if (moderation::IsBlank(content)) {
      return moderation::Undetermined(policy.Reference(), UndeterminedReason::kEmptyContent,
                                      "there is nothing to judge: the content is empty");
    }
    if (moderation::TextBytes(content) > settings_.options.content_bytes_max) {
      return TooLong(policy, std::to_string(moderation::TextBytes(content)) + " bytes");
    }
    if (policy.rules.empty()) {
      return moderation::Undetermined(
          policy.Reference(), UndeterminedReason::kPolicyWithoutRules,
          "no rule was found in the policy; `safeguard policy lint` says what to mend");
    }
    return std::nullopt;
  }

  static Verdict TooLong(const Policy& policy, const std::string& length) {
    return moderation::Undetermined(
        policy.Reference(), UndeterminedReason::kContentTooLong,
        "the content has " + length + ", more than can be judged whole; judge it in parts");
  }

  [[nodiscard]] bool Fits(const std::vector<std::uint32_t>& prompt) const {
    return prompt.size() + settings_.options.reasoning_tokens_max +
               settings_.options.answer_tokens_max <=
           settings_.context_max;
  }

  void DecideEach(Policies policies, std::span<const Content> contents,
                  const moderation::Onlooker& onlooker, std::vector<Verdict>& verdicts) const {
    std::vector<GenerationResult> results(verdicts.size());
    std::vector<std::string> prompts(verdicts.size());  // hashes; empty: not asked
    const std::size_t shared = SharedBeginning(policies);
    {
      Flight flight(generator_, settings_.options.parallel_max, onlooker.stop);
      // By policy, so that one policy's prefix serves all contents while it is warm.
      for (std::size_t p = 0; p < policies.size(); ++p) {
        const ReasonerPolicy& prepared = Prepared(policies[p]);
        for (std::size_t c = 0; c < contents.size(); ++c) {
          const std::size_t at = c * policies.size() + p;
          if (std::optional<Verdict> refused = Refuse(prepared.policy(), contents[c])) {
            verdicts[at] = std::move(*refused);
            continue;
          }
          std::vector<std::uint32_t> prompt =
              MakePrompt(bpe_, prepared.question(), contents[c], settings_.options.instant);
          if (!Fits(prompt)) {
            verdicts[at] =
                TooLong(prepared.policy(), std::to_string(prompt.size()) + " tokens with policy");
            continue;
          }
          prompts[at] = TokenHash(prompt);
          GenerationRequest request =
              MakeRequest(settings_, prepared.question(), std::move(prompt), shared);
          TellThoughts(onlooker, p, request);
          flight.Send(std::move(request), results[at]);
        }
      }
    }
    for (std::size_t at = 0; at < verdicts.size(); ++at) {
      if (!prompts[at].empty()) {
        const ReasonerPolicy& prepared = Prepared(policies[at % policies.size()]);
        const ResultReader reader{bpe_, prepared.policy(), prepared.labels(),
                                  prepared.question().plan};
        verdicts[at] = reader.Read(results[at], contents[at / policies.size()]);
        verdicts[at].decided_by.settings = HashesOf(std::move(prompts[at]), results[at]);
      }
    }
  }

  void DecideJointly(Policies policies, std::span<const Content> contents,
                     const moderation::Onlooker& onlooker, std::vector<Verdict>& verdicts) const {
    std::vector<const Policy*> asked;
    for (const auto& policy : policies) {
      asked.push_back(&policy->policy());
    }
    Result<Question> question = MakeJointQuestion(bpe_, settings_, asked);
    for (const auto& policy : policies) {
      const std::string& owner = Prepared(policy).question().owner;
      if (question && !owner.empty()) {
        question->owner = owner;  // one caller's: there are no two
      }
    }
    std::vector<GenerationResult> results(contents.size());
    std::vector<std::string> prompts(contents.size());  // hashes; empty: not sent
    if (question) {
      Flight flight(generator_, settings_.options.parallel_max, onlooker.stop);
      for (std::size_t c = 0; c < contents.size(); ++c) {
        std::vector<std::uint32_t> prompt = MakePrompt(bpe_, *question, contents[c], false);
        if (Fits(prompt) && !Refuse(*asked.front(), contents[c])) {
          prompts[c] = TokenHash(prompt);
          GenerationRequest request = MakeRequest(settings_, *question, std::move(prompt));
          TellThoughts(onlooker, moderation::Onlooker::kEveryPolicy, request);
          flight.Send(std::move(request), results[c]);
        }
      }
    }
    const auto joint = moderation::JointPoliciesSetting(asked);
    for (std::size_t at = 0; at < verdicts.size(); ++at) {
      const std::size_t c = at / policies.size();
      const ReasonerPolicy& prepared = Prepared(policies[at % policies.size()]);
      if (std::optional<Verdict> refused = Refuse(prepared.policy(), contents[c])) {
        verdicts[at] = std::move(*refused);
        continue;
      }
      if (!question) {
        verdicts[at] = moderation::Undetermined(prepared.policy().Reference(),
                                                UndeterminedReason::kInternalError,
                                                Describe(question.error()));
      } else if (prompts[c].empty()) {
        verdicts[at] = TooLong(prepared.policy(), "too many tokens with the policies");
      } else {
        const ResultReader reader{bpe_, prepared.policy(), prepared.labels(), question->plan, true};
        verdicts[at] = reader.Read(results[c], contents[c]);
        verdicts[at].decided_by.settings = HashesOf(prompts[c], results[c]);
      }
      verdicts[at].decided_by.settings.insert(joint);
    }
  }

  engine::Generator& generator_;
  const engine::Bpe& bpe_;
  moderation::DecidedBy model_;
  ReasonerSettings settings_;
};

template <class Choice>
Error UnknownWord(const char* option, const std::string& word, Choice choices) {
  return Error{ErrorCode::kInvalidInput, std::string(option) + " \"" + word + "\" is not known",
               std::string("choose one of ") + choices};
}

}  // namespace

Result<ReasonerSettings> UnderstandOptions(const ReasonerOptions& options) {
  ReasonerSettings settings;
  settings.options = options;
  const auto effort = engine::ReasoningEffortOf(options.effort);
  if (!effort) {
    return std::unexpected(UnknownWord("effort", options.effort, "low, medium, high"));
  }
  const std::optional<AnswerForm> form = ParseAnswerForm(options.answer);
  if (!form) {
    return std::unexpected(UnknownWord("answer", options.answer, "policy, label, json, rationale"));
  }
  const auto placement = engine::PolicyPlacementOf(options.placement);
  if (!placement) {
    return std::unexpected(
        UnknownWord("placement", options.placement, "developer, system, hf-template"));
  }
  if (options.joint && options.instant) {
    return Fail(ErrorCode::kInvalidInput,
                "an instant score is of one policy, not of several at once",
                "leave out joint or instant");
  }
  using Mode = engine::DraftSettings::Mode;
  const std::map<std::string, Mode> drafts = {
      {"off", Mode::kOff}, {"auto", Mode::kAuto}, {"always", Mode::kAlways}};
  if (!drafts.contains(options.drafts)) {
    return std::unexpected(UnknownWord("drafts", options.drafts, "off, auto, always"));
  }
  const auto precision = engine::ModelPrecisionOf(options.precision);
  if (!precision) {
    return std::unexpected(
        UnknownWord("precision", options.precision, "default, f32, int16, int8, bf16"));
  }
  const Result<engine::ModelPrecision> definite = engine::DefinitePrecision(*precision);
  if (!definite) {
    return std::unexpected(definite.error());
  }
  settings.precision = *definite;
  settings.drafts = drafts.at(options.drafts);
  settings.effort = *effort;
  settings.form = *form;
  settings.placement = *placement;
  return settings;
}

std::unique_ptr<moderation::Judge> MakeReasonerJudge(engine::Generator& generator,
                                                     const engine::Bpe& bpe,
                                                     moderation::DecidedBy model,
                                                     const ReasonerSettings& settings) {
  const ReasonerOptions& options = settings.options;
  model.layer = "reasoner";
  model.settings = {{"template", std::string(kPromptTemplate)},
                    {"placement", engine::ToString(settings.placement)},
                    {"effort", options.instant ? "none" : engine::ToString(settings.effort)},
                    {"answer", ToString(settings.form)},
                    {"precision", engine::ToString(settings.precision)},
                    {"temperature", std::to_string(options.temperature)},
                    {"seed", std::to_string(options.seed)}};
  if (options.date) {
    model.settings["date"] = *options.date;
  }
  return std::make_unique<ReasonerJudge>(generator, bpe, std::move(model), settings);
}

}  // namespace safeguard::judges
