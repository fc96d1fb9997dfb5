#include <atomic>
#include <stop_token>
#include <utility>

#include "http/api/judge_answer.h"
#include "http/domain_json.h"

namespace safeguard::http {
namespace {

using Json = nlohmann::ordered_json;

// A client that lets this much wait reads too slowly to be kept.
constexpr std::size_t kWaitingBytesMax = std::size_t{4} << 20;

std::string EventText(const char* event, const std::string& data) {
  return std::string("event: ") + event + "\ndata: " + data + "\n\n";
}

// One answer that is spoken while it is thought. Thread-safe.
class Speech {
 public:
  Speech(Reply reply, std::string request_id)
      : reply_(std::move(reply)), request_id_(std::move(request_id)) {}

  [[nodiscard]] std::stop_token gone() const { return gone_.get_token(); }

  // From here on there is a stream.
  void Begin() {
    if (begun_.exchange(true)) {
      return;
    }
    body_->OnClosed([gone = gone_]() mutable { gone.request_stop(); });
    Response response;
    response.content_type = "text/event-stream";
    response.stream = body_;
    reply_(std::move(response));
  }

  void Think(const moderation::PolicyReference* policy, std::string_view text) {
    Json data = {{"policy", nullptr}, {"policy_version", nullptr}, {"delta", text}};
    if (policy != nullptr) {
      data["policy"] = policy->id;
      data["policy_version"] = policy->version;
    }
    body_->Write(EventText("reasoning", JsonLine(data)));
    if (body_->waiting() > kWaitingBytesMax) {
      body_->Break();
      gone_.request_stop();
    }
  }

  void Answer(const Json& answer) {
    body_->Write(EventText("verdict", JsonLine(answer)));
    body_->End();
    Begin();  // the time was up before anybody had begun
  }

  void Fail(const Problem& problem) {
    Response response = ProblemResponse(problem, request_id_);
    if (!begun_.exchange(true)) {
      reply_(std::move(response));
      return;
    }
    body_->Write(EventText("error", response.body));
    body_->End();
  }

 private:
  Reply reply_;
  std::string request_id_;
  std::shared_ptr<BodyStream> body_ = std::make_shared<BodyStream>();
  std::stop_source gone_;
  std::atomic<bool> begun_{false};
};

}  // namespace

bool AcceptsEvents(const Request& request) {
  const std::string_view accept = request.header("accept");
  return accept.find("text/event-stream") != accept.npos &&
         accept.find("application/json") == accept.npos;
}

void JudgeAloud(const RouteContext& context, const std::shared_ptr<Request>& request,
                const Reply& reply, JudgeJob job, JudgeRender render, const ServedRoute* route) {
  const auto speech = std::make_shared<Speech>(reply, request->id);
  job.audience = std::make_shared<Audience>(
      Audience{[speech] { speech->Begin(); },
               [speech](const moderation::PolicyReference* policy, std::string_view text) {
                 speech->Think(policy, text);
               },
               speech->gone()});
  SubmitOrRefuse(
      context, *request, reply, std::move(job),
      [speech, render = std::move(render), route](const Result<JudgeAnswer>& answer) {
        answer ? speech->Answer(render(*answer))
               : speech->Fail(JudgeProblem(answer.error(), route));
      },
      false, route);
}

}  // namespace safeguard::http
