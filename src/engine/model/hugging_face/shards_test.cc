#include "engine/model/hugging_face/shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace safeguard::engine {
namespace {

using testing::HasSubstr;

class ShardsTest : public testing::Test {
 protected:
  ShardsTest() {
    folder_ = (std::filesystem::temp_directory_path() / "safeguard_shards_XXXXXX").string();
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~ShardsTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  // A file with the one tensor `tensor` of two bytes.
  void WriteShard(const std::string& name, const std::string& tensor) {
    const std::string header =
        "{\"" + tensor + R"(":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
    std::string file(8, '\0');
    file[0] = static_cast<char>(header.size());
    Write(name, file + header + "xy");
  }
  void WriteIndex(const std::string& map) {
    Write("model.safetensors.index.json", R"({"metadata":{},"weight_map":{)" + map + "}}");
  }
  std::string Error() {
    const auto set = OpenShards(folder_);
    return set ? "" : Describe(set.error());
  }

  std::string folder_;
};

TEST_F(ShardsTest, AnIndexJoinsItsShards) {
  WriteShard("one.safetensors", "a");
  WriteShard("two.safetensors", "b");
  WriteShard("golden.safetensors", "other files do not matter");
  WriteIndex(R"("a":"one.safetensors","b":"two.safetensors")");
  const auto set = OpenShards(folder_);
  ASSERT_TRUE(set) << Describe(set.error());
  ASSERT_EQ(set->tensors.size(), 2U);
  EXPECT_EQ(set->tensors[1].name, "b");
  EXPECT_EQ(set->tensors[1].file, 1U);
  EXPECT_EQ(set->tensors[1].bytes[1], std::byte{'y'});
}

TEST_F(ShardsTest, ShardsThatDifferFromTheIndexAreNamed) {
  WriteShard("one.safetensors", "a");
  WriteShard("two.safetensors", "b");
  WriteIndex(R"("b":"one.safetensors","a":"two.safetensors")");
  EXPECT_THAT(Error(), HasSubstr("'a' is in one.safetensors, not in two.safetensors"));
  WriteIndex(R"("a":"one.safetensors","c":"two.safetensors")");
  EXPECT_THAT(Error(), HasSubstr("'b' of two.safetensors is not in the index"));
  EXPECT_THAT(Error(), HasSubstr("'c' is not in two.safetensors"));
}

TEST_F(ShardsTest, MissingShardsAreListed) {
  WriteShard("one.safetensors", "a");
  WriteIndex(R"("a":"one.safetensors","b":"two.safetensors","c":"three.safetensors")");
  EXPECT_THAT(Error(), HasSubstr("2 of 3 shards are missing: three.safetensors, two.safetensors"));
}

TEST_F(ShardsTest, NamesThatLeaveTheFolderAreRefused) {
  for (const char* name :
       {"../x.safetensors", "/etc/x.safetensors", "a/b.safetensors", "..\\\\x.safetensors",
        ".safetensors", "", "x.bin", "a\\u0000.safetensors", "a\\n.safetensors"}) {
    WriteIndex(std::string(R"("a":")") + name + "\"");
    EXPECT_THAT(Error(), HasSubstr("no plain .safetensors file name")) << name;
  }
  WriteIndex(R"("a":7)");
  EXPECT_THAT(Error(), HasSubstr("no plain .safetensors file name"));
}

TEST_F(ShardsTest, BrokenIndexes) {
  WriteIndex(R"("a":"one.safetensors","a":"two.safetensors")");
  EXPECT_THAT(Error(), HasSubstr("'a' appears twice"));
  WriteIndex("");
  EXPECT_THAT(Error(), HasSubstr("missing or empty"));
  Write("model.safetensors.index.json", "{\"weight_map\":");
  EXPECT_THAT(Error(), HasSubstr("not a JSON object"));
  Write("model.safetensors.index.json", std::string(1'000'000, '['));
  EXPECT_THAT(Error(), HasSubstr("not a JSON object"));
  Write("model.safetensors.index.json", "[]");
  EXPECT_THAT(Error(), HasSubstr("not a JSON object"));
}

TEST_F(ShardsTest, NumberedShardsNeedNoIndexWhenAllAreThere) {
  WriteShard("model-00001-of-00002.safetensors", "a");
  EXPECT_THAT(Error(), HasSubstr("there are 1 of 2 shards"));
  WriteShard("model-00002-of-00002.safetensors", "b");
  const auto set = OpenShards(folder_);
  ASSERT_TRUE(set) << Describe(set.error());
  EXPECT_EQ(set->tensors.size(), 2U);
  WriteShard("model-00000-of-00002.safetensors", "c");  // counted from nought, as OpenAI does
  EXPECT_TRUE(OpenShards(folder_));
  std::filesystem::remove(folder_ + "/model-00000-of-00002.safetensors");
  std::filesystem::remove(folder_ + "/model-00002-of-00002.safetensors");
  std::filesystem::remove(folder_ + "/model-00001-of-00002.safetensors");
  EXPECT_FALSE(HasShards(folder_));
  EXPECT_THAT(Error(), HasSubstr("there is no model.safetensors"));
}

}  // namespace
}  // namespace safeguard::engine
