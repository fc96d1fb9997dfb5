// Arbitrary bytes as a request behind the parser of HTTP: which route it is, what it says about its
// body, whose key it brings. The first line is "METHOD target", then header lines, an empty line,
// the body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "http/json_input.h"
#include "http/keys.h"
#include "http/media_type.h"
#include "http/route_table.h"

namespace {

using safeguard::http::Request;
using safeguard::http::Route;
using safeguard::http::RouteTable;

const RouteTable& Table() {
  static const RouteTable table = [] {
    RouteTable made;
    for (const auto& [method, pattern] :
         {std::pair("GET", "/healthz"), std::pair("POST", "/v1/judge"),
          std::pair("GET", "/v1/policies"), std::pair("POST", "/v1/policies"),
          std::pair("GET", "/v1/policies/{id}"), std::pair("GET", "/v1/policies/{id}/history"),
          std::pair("POST", "/v1/policies/{id}/versions/{version}/promote"),
          std::pair("POST", "/v1alpha1/comments:analyze")}) {
      made.Add(Route{.method = method, .pattern = pattern});
    }
    return made;
  }();
  return table;
}

std::string_view TakeLine(std::string_view& left) {
  const std::string_view line = left.substr(0, left.find('\n'));
  left.remove_prefix(line.size() == left.size() ? left.size() : line.size() + 1);
  return line;
}

Request RequestOf(std::string_view bytes) {
  Request request;
  const std::string_view first = TakeLine(bytes);
  const std::size_t space = first.find(' ');
  request.method = std::string(first.substr(0, space));
  const std::string_view target = space == first.npos ? "" : first.substr(space + 1);
  request.path = std::string(target.substr(0, target.find('?')));
  request.query = std::string(target.substr(std::min(request.path.size() + 1, target.size())));
  while (!bytes.empty()) {
    const std::string_view line = TakeLine(bytes);
    if (line.empty()) {
      break;
    }
    const std::size_t colon = line.find(':');
    request.headers.push_back({std::string(line.substr(0, colon)),
                               std::string(colon == line.npos ? "" : line.substr(colon + 1))});
  }
  request.body = std::string(bytes);
  return request;
}

void CheckRoute(Request& request) {
  const RouteTable::Entry* entry = Table().Find(request);
  const std::string methods = Table().MethodsOf(request.path);
  if (entry == nullptr) {
    return;
  }
  CHECK(request.path.starts_with('/'));
  CHECK(methods.find(entry->route.method) != std::string::npos);
  for (const auto& [name, value] : request.values) {
    // What a handler looks up: a name that no encoding hides anything in.
    CHECK(!value.empty() && value.find('\0') == std::string::npos);
    CHECK(!safeguard::FirstInvalidUtf8(value));
  }
}

void CheckKey(const Request& request) {
  static safeguard::http::NewKey known =
      safeguard::http::MakeKey("fuzz", {safeguard::http::Scope::kJudge}, 0, std::string(38, 'r'));
  safeguard::http::KeyRing ring;
  ring.Set({known.key});
  const auto admitted = ring.Admit(request.header("authorization"), request.header("x-api-key"),
                                   request.body.size(), 1000);
  if (admitted) {
    CHECK(request.header("authorization") == "Bearer " + known.secret ||
          request.header("x-api-key") == known.secret);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Request request = RequestOf({reinterpret_cast<const char*>(data), size});
  CheckRoute(request);
  CheckKey(request);
  const auto refused = safeguard::http::CheckBody(request, false);
  CHECK(!refused || (refused->status == 415 && !refused->hint.empty()));
  const auto query = safeguard::http::ReadQuery(request.query, {"policy", "cursor", "limit"});
  CHECK(query || query.error().status == 400);
  static_cast<void>(safeguard::http::CheckTenant(request.header("x-safeguard-tenant")));
  return 0;
}
