// Requests and answers that pass through the proxy, as JSON: all text in them, for the judge, and
// what is put in their place when they must not pass.
//
// Whatever is text is judged; what is neither text nor one of the formats' own words (pictures,
// sounds, files, references to what lies at the upstream, tools that run there) is refused.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http/guard/guard_settings.h"
#include "http/problem.h"
#include "http/proxy/proxy_settings.h"
#include "moderation/content.h"

namespace safeguard::http {

struct ProxiedRequest {
  guard::WireFormat format = guard::WireFormat::kOpenAiChat;
  nlohmann::ordered_json forward;  // the body for the upstream
  moderation::Content content;     // all text of the request, by role
  std::string model;
  bool stream = false;
  bool usage = false;  // a stream's last chunk tells it
  ProxyMode input = ProxyMode::kBlock;
  ProxyMode output = ProxyMode::kBlock;
  bool tell = false;  // the request asks for "moderation"
};

OrProblem<ProxiedRequest> ReadProxiedRequest(guard::WireFormat format, std::string_view body,
                                             const GuardOptions& options);

// An answer that was not streamed: written anew from what was parsed, with all text in it.
// kInvalidInput: not understood, or with something that cannot be judged.
struct ProxiedAnswer {
  nlohmann::ordered_json json;
  std::string text;  // of all of it; may be blank
};
Result<ProxiedAnswer> ReadProxiedAnswer(guard::WireFormat format, std::string_view body);

// What is answered in place of an answer that must not be seen: no text, and the format's way to
// say that a filter stopped it. `id` names the request.
nlohmann::ordered_json StoppedAnswer(const ProxiedRequest& request, const std::string& id,
                                     std::int64_t created_s);

// An id or a word that the upstream's error names; empty when it is anything else.
std::string ErrorWord(std::string_view body, const char* key);

}  // namespace safeguard::http
