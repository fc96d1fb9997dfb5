#include "http/proxy/proxy.h"

#include <algorithm>
#include <utility>

#include "http/domain_json.h"

namespace safeguard::http {
namespace {

using guard::WireFormat;

const char* PathOf(WireFormat format) {
  return format == WireFormat::kOpenAiChat        ? "/chat/completions"
         : format == WireFormat::kOpenAiResponses ? "/responses"
                                                  : "/messages";
}

UpstreamRequest RequestFor(const ProxiedRequest& proxied, const Request& request,
                           const ProxyOptions& options, bool pass_key) {
  UpstreamRequest upstream{PathOf(proxied.format), {}, JsonLine(proxied.forward)};
  const auto pass = [&](const char* name) {
    if (const std::string_view value = request.header(name); !value.empty()) {
      upstream.headers.push_back({name, std::string(value)});
    }
  };
  if (!options.upstream_key.empty()) {
    proxied.format == WireFormat::kAnthropicMessages
        ? upstream.headers.push_back({"x-api-key", options.upstream_key})
        : upstream.headers.push_back({"authorization", "Bearer " + options.upstream_key});
  } else if (pass_key) {
    pass("authorization");
    pass("x-api-key");
  }
  if (proxied.format == WireFormat::kAnthropicMessages) {
    pass("anthropic-version");
    pass("anthropic-beta");
  }
  upstream.headers.push_back({"accept", proxied.stream ? "text/event-stream" : "application/json"});
  upstream.headers.push_back({"x-request-id", request.id});
  return upstream;
}

}  // namespace

Proxy::Proxy(ExchangeParts parts, Guardings guardings)
    : parts_(std::move(parts)), guardings_(std::move(guardings)) {}

Proxy::~Proxy() {
  Stop();
}

bool Proxy::Enter() {
  const std::lock_guard lock(mutex_);
  if (stopping_ || under_way_ >= parts_.options.exchanges_max) {
    return false;
  }
  ++under_way_;
  return true;
}

void Proxy::Handle(WireFormat format, const std::shared_ptr<Request>& request, const Reply& reply,
                   bool pass_key) {
  const OrProblem<const Guarding*> guarding = guardings_.Of(*request);
  if (!guarding) {
    reply(ProblemResponse(guarding.error(), request->id, true));
    return;
  }
  const Guarding& of = **guarding;
  Reply answer = reply;
  if (!of.route.empty()) {
    answer = [route = of.route, reply](Response response) {
      response.headers.push_back({kRouteHeader, route});
      reply(std::move(response));
    };
  }
  OrProblem<ProxiedRequest> proxied = ReadProxiedRequest(format, request->body, of.options);
  if (proxied && moderation::IsBlank(proxied->content)) {
    proxied = std::unexpected(
        Problem{400, "invalid-request", "the request holds no text", "give a message", {}});
  }
  if (!proxied) {
    answer(ProblemResponse(proxied.error(), request->id, true));
    return;
  }
  if (!Enter()) {
    parts_.metrics.CountRefused("queue");
    answer(ProblemResponse({429,
                            "overloaded",
                            "more requests are at the upstream than may",
                            "wait as long as Retry-After says, then send again",
                            {},
                            1},
                           request->id, true));
    return;
  }
  UpstreamRequest upstream = RequestFor(*proxied, *request, parts_.options, pass_key);
  auto exchange = std::make_shared<Exchange>(parts_, of, std::move(*proxied), std::move(upstream),
                                             request, answer);
  exchange->JudgeInput([this, exchange] { Begin(exchange); }, [this] { Leave(); });
}

void Proxy::Begin(const std::shared_ptr<Exchange>& exchange) {
  JoinEnded();
  const std::lock_guard lock(mutex_);
  std::erase_if(exchanges_, [](const auto& weak) { return weak.expired(); });
  exchanges_.push_back(exchange);
  if (stopping_) {
    exchange->Stop();
  }
  const auto place = threads_.emplace(threads_.end());
  *place = std::thread([this, exchange, place] {
    exchange->Run();
    {
      const std::lock_guard ended(mutex_);
      ended_.push_back(place);
    }
    Leave();
  });
}

void Proxy::Leave() {
  const std::lock_guard lock(mutex_);
  --under_way_;
  left_.notify_all();
}

void Proxy::JoinEnded() {
  std::list<std::thread> done;
  {
    const std::lock_guard lock(mutex_);
    for (const auto place : ended_) {
      done.splice(done.end(), threads_, place);
    }
    ended_.clear();
  }
  for (std::thread& thread : done) {
    thread.join();
  }
}

void Proxy::Stop() {
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    for (const auto& weak : exchanges_) {
      if (const auto exchange = weak.lock()) {
        exchange->Stop();
      }
    }
    left_.wait(lock, [&] { return under_way_ == 0; });
  }
  JoinEnded();
}

}  // namespace safeguard::http
