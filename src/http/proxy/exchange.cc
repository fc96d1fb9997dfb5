#include "http/proxy/exchange.h"

#include <algorithm>
#include <array>

#include "http/domain_json.h"
#include "http/guard/judge_scorer.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Outcome;

constexpr std::size_t kErrorBytesMax = std::size_t{64} << 10;

// Each fail mode's response header, and its event in the log.
struct Telling {
  guard::FailMode mode;
  const char* header;
  const char* event;
  const char* key;  // of the line that ends an exchange
  const char* level;
};
constexpr std::array<Telling, 3> kTellings = {{
    {guard::FailMode::kOpen, "x-safeguard-failed-open", "failed-open", "failed_open", "error"},
    {guard::FailMode::kClosed, "x-safeguard-failed-closed", "failed-closed", "failed_closed",
     "warn"},
    {guard::FailMode::kDegrade, "x-safeguard-degraded", "degraded", "degraded", "warn"},
}};

constexpr const char* kUndecided = "the judge could not decide";

std::string WhyOf(const Result<JudgeAnswer>& answer) {
  return answer ? kUndecided : answer.error().message;
}

}  // namespace

Exchange::Exchange(const ExchangeParts& parts, const Guarding& guarding, ProxiedRequest proxied,
                   UpstreamRequest upstream, std::shared_ptr<Request> request, Reply reply)
    : parts_(parts),
      guarding_(guarding),
      proxied_(std::move(proxied)),
      upstream_request_(std::move(upstream)),
      request_(std::move(request)),
      reply_(std::move(reply)) {}

JudgeJob Exchange::InputJob(guard::Duration time) const {
  JudgeJob job;
  job.policies = guarding_.options.input_policies;
  job.of_operator = true;
  job.contents.push_back(proxied_.content);
  job.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  return job;
}

void Exchange::JudgeInput(std::function<void()> go_on, std::function<void()> ended) {
  const JudgeDone decide = [self = shared_from_this(), go_on = std::move(go_on),
                            ended = std::move(ended)](const Result<JudgeAnswer>& answer) {
    self->DecideInput(answer) ? go_on() : ended();
  };
  const JudgeDone first = [self = shared_from_this(), decide](const Result<JudgeAnswer>& answer) {
    if (Decides(answer) ||
        !self->Degrades(self->guarding_.options.input_fail, self->proxied_.input)) {
      decide(answer);
      return;
    }
    self->Acts(guard::FailMode::kDegrade, "input", WhyOf(answer));
    SubmitTo(*self->guarding_.slow_judging,
             self->InputJob(self->guarding_.options.stream.limits.slow_max), decide);
  };
  SubmitTo(guarding_.judging, InputJob(guarding_.options.judge_time_max), first);
}

void Exchange::SubmitTo(Judging& judging, JudgeJob job, const JudgeDone& done) {
  if (!judging.Submit(std::move(job), done)) {
    done(Fail(ErrorCode::kUnavailable, "more contents wait than may"));
  }
}

// Whether the request may be passed on; it has been answered otherwise.
bool Exchange::DecideInput(const Result<JudgeAnswer>& answer) {
  if (answer) {
    input_.Add(*answer);
  } else {
    input_.Fail(answer.error().message);
  }
  const bool blocks = proxied_.input == ProxyMode::kBlock;
  if (input_.outcome() == Outcome::kSafe) {
    return true;
  }
  if (input_.outcome() == Outcome::kUndetermined) {
    if (!blocks || guarding_.options.input_fail == guard::FailMode::kOpen) {
      FailedOpen("input", WhyOf(answer));
      return true;
    }
    Acts(guard::FailMode::kClosed, "input", WhyOf(answer));
    AnswerProblem({503,
                   "input-not-judged",
                   "nothing could be decided about the request",
                   "send again; the operator has set that what is not judged does not pass",
                   {},
                   1});
    Log("input_not_judged", nullptr);
    return false;
  }
  if (!blocks) {
    return true;
  }
  AnswerStoppedInput();
  Log("input_blocked", nullptr);
  return false;
}

void Exchange::AnswerStoppedInput() {
  Response response;
  if (proxied_.stream) {
    guard::GuardSettings settings = guarding_.options.stream;
    settings.format = proxied_.format;
    body_ = std::make_shared<BodyStream>();
    body_->Write(
        WithModeration(guard::MakeWireDecoder(settings)->Ending(guard::EndKind::kViolation, "")));
    body_->End();
    response.content_type = "text/event-stream";
    response.stream = body_;
  } else {
    Json json = StoppedAnswer(proxied_, request_->id, parts_.now() / 1000);
    json["moderation"] = ModerationJson();
    response.body = JsonLine(json);
  }
  Answer(std::move(response));
}

void Exchange::Run() {
  {
    const std::lock_guard lock(mutex_);
    call_ = parts_.upstream.Post(std::move(upstream_request_));
  }
  proxied_.stream ? RunStream() : RunWhole();
  std::unique_ptr<UpstreamCall> call;
  const std::lock_guard lock(mutex_);
  call = std::move(call_);  // nobody wakes it any more
}

void Exchange::Stop() {
  stopping_.store(true);
  const std::lock_guard lock(mutex_);
  if (call_ != nullptr) {
    call_->Wake();
  }
}

// False: there is none, and the request has been answered.
bool Exchange::AwaitHead(UpstreamEvent& head, Clock::time_point until) {
  while (!stopping_.load() && Clock::now() < until) {
    head = call_->Next(until, true);
    if (head.kind == UpstreamEvent::Kind::kHead) {
      return true;
    }
    if (head.kind == UpstreamEvent::Kind::kBroken) {
      parts_.log_line(JsonLine({{"level", "error"},
                                {"event", "upstream-failed"},
                                {"request_id", request_->id},
                                {"detail", head.problem}}));
      AnswerProblem({502,
                     "upstream-failed",
                     "the upstream cannot be reached, or broke off",
                     "send again; the log says why",
                     {},
                     1});
      Log("upstream_failed", nullptr);
      return false;
    }
  }
  AnswerProblem(
      {504, "upstream-slow", "the upstream did not begin to answer in time", "send again", {}, 1});
  Log("upstream_failed", nullptr);
  return false;
}

// An answer with an error: its words are passed on, its sentences are not, for nobody judged them.
void Exchange::RefuseUpstream(const UpstreamEvent& head) {
  std::string body;
  while (body.size() < kErrorBytesMax) {
    UpstreamEvent event = call_->Next(Clock::now() + std::chrono::seconds(5), true);
    if (event.kind != UpstreamEvent::Kind::kBytes) {
      break;
    }
    body += event.bytes;
  }
  const bool callers = head.status == 400 || head.status == 404 || head.status == 413 ||
                       head.status == 422 || head.status == 429;
  Problem problem{callers ? head.status : 502,
                  "upstream-refused",
                  "the upstream answered " + std::to_string(head.status),
                  "",
                  {},
                  head.retry_after};
  std::string word = ErrorWord(body.substr(0, kErrorBytesMax), "code");
  word = word.empty() ? ErrorWord(body.substr(0, kErrorBytesMax), "type") : word;
  problem.detail += word.empty() ? "" : ": " + word;
  AnswerProblem(problem);
  Log("upstream_refused", nullptr);
}

bool Exchange::ReadBody(std::string& body, Clock::time_point until) {
  while (!stopping_.load() && Clock::now() < until) {
    const UpstreamEvent event = call_->Next(until, true);
    body += event.bytes;
    if (body.size() > parts_.options.answer_bytes_max) {
      AnswerProblem({502,
                     "upstream-too-large",
                     "the upstream's answer is larger than may be",
                     "ask for less, or for a stream",
                     {}});
      return false;
    }
    if (event.kind == UpstreamEvent::Kind::kEnd) {
      return true;
    }
    if (event.kind == UpstreamEvent::Kind::kBroken) {
      break;
    }
  }
  AnswerProblem(
      {502, "upstream-failed", "the upstream did not finish its answer", "send again", {}, 1});
  return false;
}

void Exchange::RunWhole() {
  const Clock::time_point until = Clock::now() + parts_.options.answer_time_max;
  UpstreamEvent head;
  if (!AwaitHead(head, until)) {
    return;
  }
  if (head.status != 200) {
    RefuseUpstream(head);
    return;
  }
  std::string body;
  if (!ReadBody(body, until)) {
    Log("upstream_failed", nullptr);
    return;
  }
  Result<ProxiedAnswer> answer = ReadProxiedAnswer(proxied_.format, body);
  if (!answer) {
    output_.Fail(answer.error().message);
    AnswerProblem({502,
                   "not-understood",
                   "the upstream's answer is not understood, or cannot be judged",
                   "what cannot be read does not pass",
                   {}});
    Log("refused", nullptr);
    return;
  }
  JudgeWhole(std::move(*answer));
}

bool Exchange::AskWhole(Judging& judging, const moderation::Content& content, guard::Duration time,
                        bool last) {
  JudgeJob job;
  job.policies = guarding_.options.output_policies;
  job.of_operator = true;
  job.contents.push_back(content);
  job.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
  const Clock::time_point until = job.deadline + std::chrono::seconds(1);
  const bool taken = judging.Submit(std::move(job),
                                    [self = shared_from_this()](const Result<JudgeAnswer>& judged) {
                                      self->Post({1, {}, judged ? *judged : JudgeAnswer()});
                                    });
  std::vector<Score> scores;
  while (taken && scores.empty() && Clock::now() < until) {
    call_->Next(until, false);
    scores = TakeScores();
  }
  const bool there = !scores.empty() && !scores.front().answer.verdicts.empty();
  const bool decides = there && Decides(scores.front().answer);
  if (!decides && !last) {
    return false;
  }
  if (there) {
    output_.Add(scores.front().answer);
  } else {
    output_.Fail("the answer could not be judged");
  }
  return decides;
}

void Exchange::JudgeWhole(ProxiedAnswer answer) {
  const moderation::Content content = moderation::Completion(answer.text);
  if (!moderation::IsBlank(content)) {
    const bool degrades = Degrades(guarding_.options.output_fail, proxied_.output);
    if (!AskWhole(guarding_.judging, content, guarding_.options.judge_time_max, !degrades) &&
        degrades) {
      Acts(guard::FailMode::kDegrade, "output", kUndecided);
      AskWhole(*guarding_.slow_judging, content, guarding_.options.stream.limits.slow_max, true);
    }
  }
  const bool blocks = proxied_.output == ProxyMode::kBlock;
  const bool undetermined = !output_.empty() && output_.outcome() == Outcome::kUndetermined;
  if (undetermined && blocks && guarding_.options.output_fail != guard::FailMode::kOpen) {
    Acts(guard::FailMode::kClosed, "output", kUndecided);
    AnswerOutputNotJudged();
    Log("output_not_judged", nullptr);
    return;
  }
  if (undetermined) {
    FailedOpen("output", kUndecided);
  }
  const bool stop = blocks && output_.outcome() == Outcome::kViolation && !output_.empty();
  Json json = std::move(answer.json);
  if (stop) {
    Json stopped = StoppedAnswer(proxied_, request_->id, parts_.now() / 1000);
    if (json.contains("usage")) {
      stopped["usage"] = json["usage"];
    }
    json = std::move(stopped);
  }
  json.erase("moderation");  // an upstream's own would look like ours
  if (stop || proxied_.tell) {
    json["moderation"] = ModerationJson();
  }
  Response response;
  response.body = JsonLine(json);
  Answer(std::move(response));
  Log(stop ? "output_blocked" : "completed", nullptr);
}

void Exchange::AnswerOutputNotJudged() {
  AnswerProblem({503,
                 "output-not-judged",
                 "nothing could be decided about the answer",
                 "send again; the operator has set that what is not judged does not pass",
                 {},
                 1});
}

void Exchange::AnswerProblem(const Problem& problem) {
  Response response = ProblemResponse(problem, request_->id, true);
  Json json = Json::parse(response.body);
  json["moderation"] = ModerationJson();
  response.body = JsonLine(json);
  Answer(std::move(response));
}

void Exchange::Answer(Response response) {
  response.headers.push_back({"x-safeguard-input", input_.Word()});
  if (response.stream == nullptr) {
    response.headers.push_back({"x-safeguard-output", output_.Word()});
  }
  for (const Telling& telling : kTellings) {
    if (std::string sides = acted_.SidesOf(telling.mode); !sides.empty()) {
      response.headers.push_back({telling.header, std::move(sides)});
    }
  }
  answered_ = true;
  reply_(std::move(response));
}

void Exchange::Acts(guard::FailMode mode, const char* side, const std::string& why) {
  if (!acted_.Add(side, mode)) {
    return;
  }
  parts_.metrics.CountFailMode(guarding_.route, side, guard::ToString(mode));
  const auto* const telling = std::ranges::find(kTellings, mode, &Telling::mode);
  Json line = {{"level", telling->level},
               {"event", telling->event},
               {"request_id", request_->id},
               {"side", side},
               {"why", why}};
  AddRoute(line);
  parts_.log_line(JsonLine(line));
}

void Exchange::FailedOpen(const char* side, const std::string& why) {
  parts_.metrics.CountUnscanned(1);
  Acts(guard::FailMode::kOpen, side, why);
}

void Exchange::AddRoute(Json& line) const {
  if (!guarding_.route.empty()) {
    line["route"] = guarding_.route;
  }
}

bool Exchange::Decides(const Result<JudgeAnswer>& answer) {
  return answer && std::ranges::none_of(answer->verdicts, [](const moderation::Verdict& verdict) {
           return verdict.outcome == Outcome::kUndetermined;
         });
}

bool Exchange::Degrades(guard::FailMode mode, ProxyMode side) const {
  return mode == guard::FailMode::kDegrade && side == ProxyMode::kBlock &&
         guarding_.slow_judging != nullptr;
}

Json Exchange::ModerationJson() const {
  Json json = {{"input", nullptr}, {"output", nullptr}};
  if (!input_.empty()) {
    json["input"] = input_.ToJson(proxied_.format, guarding_.judge_name);
  }
  if (!output_.empty()) {
    json["output"] = output_.ToJson(proxied_.format, guarding_.judge_name);
  }
  if (!acted_.empty()) {
    json["fail_modes"] = acted_.ToJson();
  }
  return json;
}

void Exchange::Log(const char* state, const guard::StreamGuard* guard) {
  Json line = {{"level", "info"},
               {"event", "proxied"},
               {"request_id", request_->id},
               {"format", guard::ToString(proxied_.format)},
               {"stream", proxied_.stream},
               {"state", state},
               {"input", input_.Word()},
               {"output", output_.Word()}};
  for (const Telling& telling : kTellings) {
    line[telling.key] = acted_.SidesOf(telling.mode);
  }
  AddRoute(line);
  parts_.metrics.CountGuarded(guarding_.route, state);
  if (guard != nullptr) {
    const guard::LedgerSummary summary = guard->ledger().Summary();
    line["released_bytes"] = summary.released_bytes;
    line["scanned_bytes"] = summary.scanned_bytes;
    line["unscanned_bytes"] = summary.unscanned_bytes;
    line["windows"] = summary.windows;
    line["exposed_tokens_max"] = summary.exposed_tokens_max;
    line["dropped_fields"] = guard->dropped_fields();
  }
  parts_.log_line(JsonLine(line));
}

guard::Duration Exchange::Now() const {
  return std::chrono::duration_cast<guard::Duration>(Clock::now().time_since_epoch());
}

}  // namespace safeguard::http
