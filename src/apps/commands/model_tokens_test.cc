#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/fake_services.h"
#include "apps/run.h"

namespace safeguard::apps {
namespace {

using ::testing::HasSubstr;

std::string Base64Byte(unsigned byte) {
  constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return {alphabet[byte >> 2], alphabet[byte << 4 & 63U], '=', '='};
}

class ModelTokens : public ::testing::Test {
 protected:
  ModelTokens() {
    std::string ranks;
    for (unsigned byte = 0; byte < 256; ++byte) {
      ranks += Base64Byte(byte) + " " + std::to_string(byte) + "\n";
    }
    std::filesystem::create_directory(folder_.Path("o200k"));
    static_cast<void>(folder_.Write("o200k/o200k_base.tiktoken", ranks + "YWI= 256\n"));
  }

  int Call(std::vector<std::string> arguments, const std::string& input) {
    console_.out.clear();
    console_.error.clear();
    console_.input = input;
    arguments.insert(arguments.begin(), {"model", "tokens"});
    arguments.insert(arguments.end(), {"--model", folder_.Path("")});
    return static_cast<int>(RunCommand(arguments, services_, console_, stop_));
  }

  TestFolder folder_;
  FakeServices services_;
  FakeConsole console_;
  std::atomic<bool> stop_ = false;
};

TEST_F(ModelTokens, OneLineOutForEachLineIn) {
  EXPECT_EQ(Call({}, "{\"text\": \"abc\"}\n\n{\"text\": \"\u00E9\", \"id\": 7}\r\n{\"text\":\"\"}"),
            0);
  EXPECT_EQ(console_.out,
            "{\"text\":\"abc\",\"tokens\":[256,99]}\n"
            "{\"text\":\"\u00E9\",\"tokens\":[195,169]}\n"
            "{\"text\":\"\",\"tokens\":[]}\n");
  EXPECT_EQ(Call({}, ""), 0);
  EXPECT_EQ(console_.out, "");
}

TEST_F(ModelTokens, ALineThatCannotBeReadIsNamed) {
  for (const char* bad : {"abc", "[]", "{}", "{\"text\": 1}", "{\"text\": \"\xFF\"}", "\"text\""}) {
    EXPECT_EQ(Call({}, std::string("{\"text\":\"a\"}\n") + bad + "\n"), 2) << bad;
    EXPECT_THAT(console_.error, HasSubstr("line 2 is not")) << bad;
    EXPECT_EQ(console_.out, "{\"text\":\"a\",\"tokens\":[97]}\n");
  }
}

TEST_F(ModelTokens, ATokenizerThatCannotBeReadIsAnError) {
  EXPECT_EQ(Call({folder_.Path("none.json")}, ""), 4);
  EXPECT_THAT(console_.error, HasSubstr("none.json"));
  EXPECT_EQ(Call({folder_.Path("")}, ""), 4);
  EXPECT_THAT(console_.error, HasSubstr("tokenizer.json"));
  EXPECT_EQ(Call({folder_.Write("tokenizer.json", "{}")}, ""), 4);
  EXPECT_THAT(console_.error, HasSubstr("o200k_harmony"));
}

}  // namespace
}  // namespace safeguard::apps
