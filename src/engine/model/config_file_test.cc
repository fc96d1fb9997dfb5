#include "engine/model/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

TEST(ConfigFile, GivesValuesInRange) {
  const auto config = ConfigFile::Read("c.json", R"({"n":384,"e":1e-12,"act":"gelu"})");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->Whole("n", 1, 4096).value(), 384U);
  EXPECT_EQ(config->Number("e", 0, 1).value(), 1e-12);
  EXPECT_EQ(config->Text("act").value(), "gelu");
  EXPECT_TRUE(config->Has("n"));
  EXPECT_FALSE(config->Has("m"));
}

TEST(ConfigFile, ErrorsNameFileAndKey) {
  const auto config =
      ConfigFile::Read("c.json", R"({"n":384,"neg":-1,"half":1.5,"s":"x","l":[1]})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->Whole("m", 1, 2).error().message, "c.json: 'm' is missing");
  EXPECT_THAT(config->Whole("n", 1, 100).error().message, HasSubstr("from 1 to 100: 384"));
  for (const char* key : {"neg", "half", "s", "l"}) {
    EXPECT_FALSE(config->Whole(key, 0, 100)) << key;
  }
  EXPECT_FALSE(config->Number("s", 0, 1));
  EXPECT_FALSE(config->Number("half", 0, 1));
  EXPECT_FALSE(config->Text("n"));
}

TEST(ConfigFile, RefusesWhatIsNoObject) {
  for (const char* json : {"", "[]", "1", "{\"a\":", "{\"a\":\"\xFF\"}", "\0"}) {
    const auto config = ConfigFile::Read("c.json", json);
    ASSERT_FALSE(config) << json;
    EXPECT_EQ(config.error().code, ErrorCode::kCorruptFile);
  }
  EXPECT_FALSE(ConfigFile::Read("c.json", "{\"a\":" + std::string(500'000, '[')));
  EXPECT_EQ(ConfigFile::Read("c.json", std::string(2 << 20, ' ')).error().code, ErrorCode::kLimit);
  EXPECT_EQ(ConfigFile::Open("/nonexistent/config.json").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace safeguard::engine
