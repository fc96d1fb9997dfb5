#include "http/accept.h"

#include <gtest/gtest.h>

namespace safeguard::http {
namespace {

TEST(AcceptTest, ReadsWhatClientsSend) {
  const std::vector<std::string> json = {"application/json"};
  for (const char* header :
       {"", " ", "*/*", "application/json", "Application/JSON", "application/*;q=0.1",
        "text/html, application/json; charset=utf-8", "text/html,*/*;q=0.8",
        "text/html;level=1 , application/json;q=0.5", "application/json;q=0.05"}) {
    EXPECT_TRUE(Accepts(header, json)) << header;
  }
  for (const char* header : {"text/html", "application/jsonp", "text/*", "application/json;q=0",
                             "*/*; q=0.000", "application/xml, text/plain", ",", "json"}) {
    EXPECT_FALSE(Accepts(header, json)) << header;
  }
  EXPECT_TRUE(Accepts("text/html", {"application/json", "text/html"}));
  EXPECT_TRUE(Accepts("image/png", {})) << "nobody knows";
}

TEST(AcceptTest, KnowsWhatTheDocumentSays) {
  Route route{"GET", "/v1/verdicts/export"};
  EXPECT_EQ(AnswerTypes(route), std::vector<std::string>{"application/x-ndjson"});
  route.pattern = "/v1/nothing";
  EXPECT_TRUE(AnswerTypes(route).empty());
  route.pattern = "/v1/models";
  route.openai = true;
  EXPECT_TRUE(AnswerTypes(route).empty()) << "OpenAI's clients ask as they like";
}

}  // namespace
}  // namespace safeguard::http
