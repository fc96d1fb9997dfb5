// Every route of the OpenAPI document, asked wrongly in every way that there is: the answer is a
// problem that says what is wrong, what to do and which request it was, and the document knows it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <functional>

#include "http/openapi_check.h"
#include "http/test_parts.h"

namespace safeguard::http {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

const OpenApiCheck& TheCheck() {
  static const OpenApiCheck check;
  return check;
}

struct Operation {
  std::string method;  // "get"
  std::string pattern;
  std::string target;  // the pattern with names of things that there are not
  Json json;

  [[nodiscard]] std::string upper() const {
    std::string text = method;
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
  }
  [[nodiscard]] const Json* content() const {
    return json.contains("requestBody") ? &json["requestBody"]["content"] : nullptr;
  }
  [[nodiscard]] bool takes_json() const {
    return content() != nullptr && content()->contains("application/json");
  }
  // Whoever calls it has a shape of his own also for what is wrong with a body.
  [[nodiscard]] bool is_gateways() const { return !pattern.starts_with("/v1/"); }
  // OpenAI's, Anthropic's or a gateway's.
  [[nodiscard]] bool has_foreign_shape() const {
    static const std::vector<std::string> foreign = {
        "/v1/batches", "/v1/chat",        "/v1/files",    "/v1/messages",
        "/v1/models",  "/v1/moderations", "/v1/responses"};
    return is_gateways() || std::ranges::any_of(foreign, [&](const std::string& path) {
             return pattern.starts_with(path);
           });
  }
  [[nodiscard]] bool has_scope() const {
    return json.contains("security") && !json["security"].empty() &&
           !json["security"][0]["key"].empty();
  }
  [[nodiscard]] const Json* parameter(const std::string& name) const {
    if (json.contains("parameters")) {
      for (const Json& one : json["parameters"]) {
        if (one.contains("name") && one["name"] == name && one["in"] == "query") {
          return &one;
        }
      }
    }
    return nullptr;
  }
};

std::vector<Operation> Operations() {
  std::vector<Operation> operations;
  for (const auto& [path, item] : TheCheck().document()["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      std::string target = path;
      for (const auto& [name, value] :
           {std::pair{"{id}", "nosuch"}, std::pair{"{version}", "99"}}) {
        if (const std::size_t at = target.find(name); at != target.npos) {
          target.replace(at, std::string(name).size(), value);
        }
      }
      operations.push_back({method, path, target, operation});
    }
  }
  return operations;
}

class AllRoutesTest : public ::testing::Test {
 protected:
  // The answer is a problem of that status, whole; `documented`: the document names it there.
  static void IsProblem(const Operation& operation, const Response& response, int status,
                        bool documented = true) {
    const std::string where = operation.upper() + " " + operation.target + ": " + response.body;
    ASSERT_EQ(response.status, status) << where;
    EXPECT_EQ(response.content_type, "application/problem+json") << where;
    const Json json = Json::parse(response.body, nullptr, false);
    ASSERT_TRUE(json.is_object()) << where;
    for (const char* field : {"type", "title", "detail", "hint", "request_id"}) {
      EXPECT_TRUE(json.contains(field) && json[field].is_string() &&
                  !json[field].get<std::string>().empty())
          << field << " of " << where;
    }
    EXPECT_THAT(json["type"].get<std::string>(), HasSubstr("urn:safeguard:problem:"));
    EXPECT_EQ(json["status"], status) << where;
    EXPECT_EQ(json["title"], StatusTitle(status)) << where;
    EXPECT_NE(json["title"], "Error") << where;
    EXPECT_EQ(json["request_id"], FindHeader(response.headers, "x-request-id")) << where;
    if (json.contains("pointer")) {
      EXPECT_TRUE(json["pointer"].get<std::string>().starts_with('/')) << where;
    }
    if (documented) {
      EXPECT_EQ(TheCheck().CheckResponse(operation.method, operation.pattern, response), "")
          << where;
    }
  }
  Response Call(const Operation& operation, const std::string& query = "",
                const std::string& body = "", std::vector<Header> headers = {}) {
    return parts.Call(operation.upper(), operation.target + query, body, std::move(headers));
  }
  // With the body that the document has as its example, where there is one.
  Response CallWithExample(TestService& service, const Operation& operation,
                           std::vector<Header> headers = {}) {
    std::string body;
    if (operation.takes_json()) {
      body = (*operation.content())["application/json"]["example"].dump();
    } else if (operation.content() != nullptr) {
      body = FormOf((*operation.content())["multipart/form-data"]["example"]);
      headers.push_back({"content-type", kFormType});
    }
    return service.Call(operation.upper(), operation.target, body, std::move(headers));
  }

  TestService parts;
  const std::vector<Operation> operations = Operations();
};

TEST_F(AllRoutesTest, AMethodThatAPathHasNotIsToldWhichItHas) {
  for (const Operation& operation : operations) {
    for (const char* method : {"PATCH", "PUT", "OPTIONS", "TRACE"}) {
      const Response response = parts.Call(method, operation.target);
      IsProblem(operation, response, 405, false);
      const std::string allow(FindHeader(response.headers, "allow"));
      EXPECT_THAT(allow, HasSubstr(operation.upper())) << operation.target;
      if (operation.method == "get") {
        EXPECT_THAT(allow, HasSubstr("HEAD")) << operation.target;
      }
      EXPECT_THAT(JsonOf(response)["hint"].get<std::string>(), HasSubstr(allow));
    }
  }
  EXPECT_EQ(parts.Call("GET", "/v1/nothing").problem, "no-such-path");
}

TEST_F(AllRoutesTest, ABodyOfAnotherTypeIsRefused) {
  for (const Operation& operation : operations) {
    if (operation.content() == nullptr) {
      continue;
    }
    const auto call = [&](const char* type, std::vector<Header> headers = {}) {
      headers.push_back({"content-type", type});
      return Call(operation, "", "{}", std::move(headers));
    };
    IsProblem(operation, call("text/plain"), 415);
    IsProblem(operation, call(""), 415);
    IsProblem(operation,
              call(operation.takes_json() ? "multipart/form-data; boundary=x" : "application/json"),
              415);
    const char* right = operation.takes_json() ? "application/json" : kFormType;
    IsProblem(operation, call(right, {{"content-encoding", "gzip"}}), 415);
  }
}

TEST_F(AllRoutesTest, ABodyThatIsNoJsonOrNotThisOneIsRefused) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  for (const Operation& operation : operations) {
    if (operation.content() == nullptr || operation.is_gateways() ||
        operation.pattern == "/v1/messages") {  // without an upstream nobody reads those
      continue;
    }
    if (!operation.takes_json()) {
      const Response broken = Call(operation, "", "--x", {{"content-type", kFormType}});
      IsProblem(operation, broken, 400);
      continue;
    }
    for (const std::string& body :
         {std::string("{"), std::string("[]"), std::string("null"), std::string("{} x"),
          std::string("{\"a\": 1, \"a\": 1}"), std::string("{\"a\": \"\xff\"}"), deep}) {
      IsProblem(operation, Call(operation, "", body), 400);
    }
  }
}

TEST_F(AllRoutesTest, AFieldThatIsNotKnownIsPointedTo) {
  for (const Operation& operation : operations) {
    if (!operation.takes_json() || operation.is_gateways()) {
      continue;
    }
    Json body = (*operation.content())["application/json"]["example"];
    const Json schema = (*operation.content())["application/json"]["schema"];
    const Json whole = schema.contains("$ref") ? TheCheck().Resolve(schema["$ref"]) : schema;
    if (!whole.contains("additionalProperties") || whole["additionalProperties"] != false) {
      continue;  // others may have fields that nobody here has heard of
    }
    body["nosuch/field~"] = 1;
    const Response response = Call(operation, "", body.dump());
    IsProblem(operation, response, 400);
    EXPECT_EQ(JsonOf(response)["pointer"], "/nosuch~1field~0") << operation.target;
  }
}

TEST_F(AllRoutesTest, AListHasLimitAndCursorAndSaysWhatTheyMayBe) {
  std::size_t lists = 0;
  for (const Operation& operation : operations) {
    const Json* limit = operation.parameter("limit");
    const Json* cursor = operation.parameter("cursor");
    const bool pages = cursor != nullptr || operation.parameter("after") != nullptr;
    EXPECT_EQ(limit != nullptr, pages) << operation.pattern;
    if (limit == nullptr) {
      continue;
    }
    ++lists;
    const auto most = (*limit)["schema"]["maximum"].get<std::size_t>();
    for (const std::string& wrong :
         {std::string("0"), std::string("-1"), std::string("x"), std::string("1.5"),
          std::to_string(most + 1), std::string("99999999999999999999"), std::string()}) {
      const Response response = Call(operation, "?limit=" + wrong);
      IsProblem(operation, response, 400);
      EXPECT_THAT(JsonOf(response)["detail"].get<std::string>(), HasSubstr("limit"));
      EXPECT_THAT(JsonOf(response)["hint"].get<std::string>(), HasSubstr(std::to_string(most)));
    }
    IsProblem(operation, Call(operation, "?nosuch=1"), 400);
    IsProblem(operation, Call(operation, "?limit=1&limit=2"), 400);
    if (cursor == nullptr) {
      IsProblem(operation, Call(operation, "?after=nosuch"), 404);
      continue;
    }
    for (const char* wrong : {"", "%00", "-1%20x", "a%20b"}) {
      const Response response = Call(operation, std::string("?cursor=") + wrong);
      IsProblem(operation, response, 400);
    }
  }
  EXPECT_EQ(lists, 11U);
}

TEST_F(AllRoutesTest, WhatThereIsNotIsNotFound) {
  for (const Operation& operation : operations) {
    if (operation.target == operation.pattern || operation.json.contains("deprecated")) {
      continue;
    }
    const Response response = CallWithExample(parts, operation);
    if (operation.pattern == "/v1/policies/{id}/versions" && operation.method == "post") {
      EXPECT_EQ(response.status, 201) << "publishing makes it";
      continue;
    }
    IsProblem(operation, response, 404);
  }
}

TEST_F(AllRoutesTest, WhoHasNoKeyOrNotTheScopeIsTold) {
  TestService locked({.keys_required = true});
  NewKey none = MakeKey("none", {}, 0, RandomBytes(38));
  NewKey poor = MakeKey("poor", {Scope::kAdmin}, 0, RandomBytes(38));
  poor.key.requests_per_minute = 1;
  locked.keys.Set({none.key, poor.key});
  const auto with = [](const NewKey& key) {
    return std::vector<Header>{{"authorization", "Bearer " + key.secret}};
  };
  EXPECT_NE(locked.Call("GET", "/v1/models", "", with(poor)).status, 429);
  for (const Operation& operation : operations) {
    if (!operation.json.contains("security") || operation.json["security"].empty()) {
      EXPECT_LT(CallWithExample(locked, operation).status, 500) << operation.target;
      continue;
    }
    const Response keyless = CallWithExample(locked, operation);
    IsProblem(operation, keyless, 401);
    EXPECT_EQ(FindHeader(keyless.headers, "www-authenticate"), "Bearer");
    IsProblem(operation, CallWithExample(locked, operation, {{"x-api-key", "sk-wrong"}}), 401);
    if (operation.has_scope()) {
      IsProblem(operation, CallWithExample(locked, operation, with(none)), 403);
    }
    const Response over = CallWithExample(locked, operation, with(poor));
    IsProblem(operation, over, 429);
    EXPECT_FALSE(FindHeader(over.headers, "retry-after").empty());
  }
}

TEST_F(AllRoutesTest, WhatNobodyAcceptsIsNotMade) {
  for (const Operation& operation : operations) {
    const Response response = CallWithExample(parts, operation, {{"accept", "image/png"}});
    if (operation.has_foreign_shape()) {
      EXPECT_NE(response.status, 406) << "who speaks " << operation.pattern << " asks as he likes";
    } else {
      IsProblem(operation, response, 406, false);
    }
    EXPECT_NE(CallWithExample(parts, operation, {{"accept", "text/html, */*;q=0.1"}}).status, 406);
  }
}

TEST_F(AllRoutesTest, HeadIsAnsweredAsGetIs) {
  for (const Operation& operation : operations) {
    if (operation.method != "get") {
      continue;
    }
    const Response get = parts.Call("GET", operation.target);
    const Response head = parts.Call("HEAD", operation.target);
    EXPECT_EQ(head.status, get.status) << operation.target;
    EXPECT_EQ(head.content_type, get.content_type) << operation.target;
    EXPECT_EQ(FindHeader(head.headers, "etag"), FindHeader(get.headers, "etag"));
  }
}

TEST_F(AllRoutesTest, WhatTheClientHasIsNotSentAgain) {
  ASSERT_EQ(parts.Call("POST", "/v1/policies", R"({"id": "nosuch", "text": "# A\n\n- A1 Bad.\n"})")
                .status,
            201);
  std::size_t tagged = 0;
  for (const Operation& operation : operations) {
    if (!operation.json["responses"].contains("304")) {
      continue;
    }
    ++tagged;
    std::string target = operation.target;
    if (const std::size_t at = target.find("99"); at != target.npos) {
      target.replace(at, 2, "1");
    }
    const Response first = parts.Call("GET", target);
    ASSERT_EQ(first.status, 200) << first.body;
    const std::string etag(FindHeader(first.headers, "etag"));
    ASSERT_FALSE(etag.empty()) << target;
    for (const std::string& known : {etag, "W/" + etag, "\"x\", " + etag, std::string("*")}) {
      const Response again = parts.Call("GET", target, "", {{"if-none-match", known}});
      EXPECT_EQ(again.status, 304) << known;
      EXPECT_EQ(again.body, "");
      EXPECT_EQ(FindHeader(again.headers, "etag"), etag);
    }
    EXPECT_EQ(parts.Call("GET", target, "", {{"if-none-match", "\"x\""}}).status, 200);
  }
  EXPECT_EQ(tagged, 3U);
}

}  // namespace
}  // namespace safeguard::http
