// The streaming half of Exchange: the stream guard between the upstream and the client.
#include <algorithm>
#include <array>
#include <utility>

#include "http/domain_json.h"
#include "http/guard/judge_scorer.h"
#include "http/proxy/exchange.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;
using moderation::Outcome;

// A client that lets this much wait has the upstream wait too.
constexpr std::size_t kClientBytesMax = std::size_t{256} << 10;
constexpr std::string_view kChatDone = "data: [DONE]\n\n";

}  // namespace

void Exchange::RunStream() {
  UpstreamEvent head;
  if (!AwaitHead(head, Clock::now() + guarding_.options.stream.limits.stall_max)) {
    return;
  }
  if (head.status != 200) {
    RefuseUpstream(head);
    return;
  }
  if (!head.content_type.starts_with("text/event-stream")) {
    AnswerProblem({502,
                   "not-understood",
                   "the upstream did not answer with a stream",
                   "what cannot be read does not pass",
                   {}});
    Log("refused", nullptr);
    return;
  }
  guard::GuardSettings settings = guarding_.options.stream;
  settings.format = proxied_.format;
  const bool blocks = proxied_.output == ProxyMode::kBlock;
  settings.fail_mode = blocks ? guarding_.options.output_fail : guard::FailMode::kOpen;
  if (settings.fail_mode == guard::FailMode::kDegrade && guarding_.slow_judging == nullptr) {
    settings.fail_mode = guard::FailMode::kClosed;
  }
  if (guarding_.slow_judging == nullptr) {
    settings.doubt_at.reset();
  } else if (settings.fail_mode == guard::FailMode::kDegrade && !settings.doubt_at) {
    settings.doubt_at = 1;  // asked about what was not judged, not about doubt
  }
  if (!blocks) {
    settings.violation_at.reset();  // what is found is told and stops nothing
  }
  guard::StreamGuard guard(settings, Now());
  Pump(guard);
  if (!answered_) {
    AnswerProblem({502, "upstream-failed", "the upstream's stream was empty", "send again", {}, 1});
  }
  Log(guard.ended() ? guard::ToString(guard.state()) : "client_left", &guard);
  if (body_ != nullptr) {
    body_->End();
  }
}

void Exchange::Pump(guard::StreamGuard& guard) {
  const Clock::time_point end = Clock::now() + parts_.options.stream_time_max;
  while (!guard.ended()) {
    if (body_ != nullptr && body_->closed()) {
      return;  // the client has left
    }
    const bool room = body_ == nullptr || body_->waiting() < kClientBytesMax;
    Clock::time_point until = std::min(end, Clock::now() + std::chrono::milliseconds(500));
    if (const auto deadline = guard.next_deadline()) {
      until = std::min(until,
                       Clock::time_point(std::chrono::duration_cast<Clock::duration>(*deadline)));
    }
    UpstreamEvent event = call_->Next(until, room && guard.wants_input());
    if (event.kind == UpstreamEvent::Kind::kBytes) {
      Apply(guard, guard.Feed(event.bytes, Now()));
    } else if (event.kind == UpstreamEvent::Kind::kEnd ||
               event.kind == UpstreamEvent::Kind::kBroken) {
      Apply(guard, guard.Finish(event.kind == UpstreamEvent::Kind::kBroken, Now()));
    } else if (stopping_.load() || Clock::now() >= end) {
      Apply(guard, guard.Finish(true, Now()));
    }
    for (Score& score : TakeScores()) {
      Keep(score);
      if (proxied_.output == ProxyMode::kScore && score.score.outcome == Outcome::kViolation) {
        score.score.outcome = Outcome::kSafe;  // judged, told, and let through
      }
      Apply(guard, guard.Scored(score.id, score.score, Now()));
    }
    const auto deadline = guard.next_deadline();
    if (deadline && *deadline <= Now()) {
      Apply(guard, guard.Tick(Now()));
    }
  }
}

// What counts for the moderation object. Where the slow judge is asked instead, its word does.
void Exchange::Keep(const Score& score) {
  const bool judged = !score.answer.verdicts.empty();
  const bool decides = judged && Decides(score.answer);
  if (!decides && !score.slow && Degrades(guarding_.options.output_fail, proxied_.output)) {
    return;
  }
  if (judged) {
    output_.Add(score.answer);
  } else {
    output_.Fail(score.score.detail);
  }
}

void Exchange::Apply(guard::StreamGuard& guard, guard::Step step) {
  for (const guard::GuardEvent& event : step.events) {
    Take(event);
  }
  if (!step.release.empty()) {
    Send(guard, std::move(step.release));
  }
  for (const guard::ScoreRequest& request : step.ask) {
    Ask(request);
  }
}

void Exchange::Take(const guard::GuardEvent& event) {
  using Kind = guard::GuardEventKind;
  const bool opens = proxied_.output == ProxyMode::kScore ||
                     guarding_.options.output_fail == guard::FailMode::kOpen;
  switch (event.kind) {
    case Kind::kFailedOpen:
      output_.Fail(event.detail);
      FailedOpen("output", event.detail);
      break;
    case Kind::kDegraded:
    case Kind::kDoubt:
      Acts(guard::FailMode::kDegrade, "output", event.detail);
      break;
    case Kind::kNotJudged:
      output_.Fail(event.detail);
      Acts(guard::FailMode::kClosed, "output", event.detail);
      break;
    case Kind::kExposedTooLong:
      if (!opens) {
        output_.Fail(event.detail);
      }
      Acts(opens ? guard::FailMode::kOpen : guard::FailMode::kClosed, "output", event.detail);
      break;
    case Kind::kRefused:
      output_.Fail(event.detail);
      break;
    case Kind::kViolation:
    case Kind::kUpstreamFailed:
    case Kind::kCompleted:
      break;
  }
}

void Exchange::Ask(const guard::ScoreRequest& request) {
  JudgeJob job;
  job.policies = guarding_.options.output_policies;
  job.of_operator = true;
  job.contents.push_back(moderation::Completion(request.text));
  job.account = request_->id;  // one version of a policy for the whole stream
  const bool slow = request.kind == guard::AskKind::kPrefix;  // asked only where there is one
  const guard::GuardLimits& limits = guarding_.options.stream.limits;
  job.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                    slow ? limits.slow_max : limits.score_max);
  job.in_passing = request.kind != guard::AskKind::kWhole;
  auto post = [self = shared_from_this(), id = request.id,
               slow](const Result<JudgeAnswer>& answer) {
    Score score{id, {}, {}, slow};
    if (answer) {
      score.score = guard::Combine(answer->verdicts);
      score.answer = *answer;
    } else {
      score.score.reason = moderation::UndeterminedReason::kModelUnavailable;
      score.score.detail = answer.error().message;
    }
    self->Post(std::move(score));
  };
  SubmitTo(slow ? *guarding_.slow_judging : guarding_.judging, std::move(job), post);
}

void Exchange::Post(Score score) {
  const std::lock_guard lock(mutex_);
  scores_.push_back(std::move(score));
  if (call_ != nullptr) {
    call_->Wake();
  }
}

std::vector<Exchange::Score> Exchange::TakeScores() {
  const std::lock_guard lock(mutex_);
  return std::exchange(scores_, {});
}

void Exchange::Send(const guard::StreamGuard& guard, std::string bytes) {
  if (!answered_ && guard.state() == guard::GuardState::kFailed) {
    // Nothing has been sent: an error of HTTP is seen by everybody.
    if (!acted_.SidesOf(guard::FailMode::kClosed).empty()) {
      AnswerOutputNotJudged();
      return;
    }
    AnswerProblem({502,
                   "stream-refused",
                   "the upstream's stream could not be understood or finished",
                   "send again; the log says why",
                   {},
                   1});
    return;
  }
  if (!answered_) {
    body_ = std::make_shared<BodyStream>();
    std::weak_ptr<Exchange> weak = weak_from_this();
    const auto wake = [weak] {
      if (const auto self = weak.lock()) {
        const std::lock_guard lock(self->mutex_);
        if (self->call_ != nullptr) {
          self->call_->Wake();
        }
      }
    };
    body_->OnTaken(wake);
    Response response;
    response.content_type = "text/event-stream";
    response.stream = body_;
    body_->Write(WithModeration(std::move(bytes)));
    Answer(std::move(response));
    return;
  }
  if (body_ != nullptr) {
    body_->Write(WithModeration(std::move(bytes)));
  }
}

// With what was found, where it is asked for, where not all is well and where a fail mode has
// acted: a chunk of its own before the end of a chat's stream, a field of the event that ends the
// others.
std::string Exchange::WithModeration(std::string bytes) const {
  const bool wanted = proxied_.tell || !acted_.empty() || input_.outcome() != Outcome::kSafe ||
                      (!output_.empty() && output_.outcome() != Outcome::kSafe);
  if (!wanted) {
    return bytes;
  }
  if (proxied_.format != guard::WireFormat::kOpenAiChat) {
    AddModeration(bytes);
    return bytes;
  }
  if (!bytes.ends_with(kChatDone)) {
    return bytes;
  }
  const Json chunk = {{"id", "chatcmpl-" + request_->id}, {"object", "chat.completion.chunk"},
                      {"created", parts_.now() / 1000},   {"model", proxied_.model},
                      {"choices", Json::array()},         {"moderation", ModerationJson()}};
  bytes.insert(bytes.size() - kChatDone.size(), "data: " + JsonLine(chunk) + "\n\n");
  return bytes;
}

void Exchange::AddModeration(std::string& bytes) const {
  constexpr std::array<std::string_view, 5> kLast = {"response.completed", "response.incomplete",
                                                     "response.failed", "message_stop", "error"};
  for (const std::string_view name : kLast) {
    const std::string head = "event: " + std::string(name) + "\ndata: ";
    const std::size_t at = bytes.rfind(head);
    // Text holds no line break on the wire: a line that begins so begins an event.
    if (at == bytes.npos || (at > 0 && bytes[at - 1] != '\n')) {
      continue;
    }
    const std::size_t begin = at + head.size();
    const std::size_t end = bytes.find('\n', begin);
    Json json = Json::parse(bytes.substr(begin, end - begin), nullptr, false);
    if (!json.is_object()) {
      continue;
    }
    (json.contains("response") ? json["response"] : json)["moderation"] = ModerationJson();
    bytes.replace(begin, end - begin, JsonLine(json));
    return;
  }
}

}  // namespace safeguard::http
