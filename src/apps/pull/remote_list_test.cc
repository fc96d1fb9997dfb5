#include "apps/pull/remote_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/pull/file_choice.h"

namespace safeguard::apps::pull {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ListError(const std::string& json) {
  std::vector<RemoteFile> files;
  const Status read = AppendListPage(json, files);
  return read ? "no error" : Describe(read.error());
}

std::string Entry(const std::string& path) {
  return nlohmann::json::array({{{"type", "file"}, {"path", path}, {"size", 1}}}).dump();
}

TEST(RemoteList, ReadsSizesAndChecksums) {
  std::vector<RemoteFile> files;
  const std::string sha1(40, 'a');
  const std::string sha256(64, 'b');
  ASSERT_TRUE(AppendListPage(R"([{"type":"directory","path":"original","oid":")" + sha1 + R"("},
      {"type":"file","path":"config.json","size":12,"oid":")" +
                                 sha1 + R"("},
      {"type":"file","path":"m.safetensors","size":99,"oid":")" +
                                 sha1 + R"(",
       "lfs":{"oid":")" + sha256 +
                                 R"(","size":99,"pointerSize":134},"xetHash":"x"}])",
                             files));
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].Identity(), "git-sha1:" + sha1);
  EXPECT_EQ(files[1].Identity(), "sha256:" + sha256);
  EXPECT_EQ(files[1].size, 99U);
}

TEST(RemoteList, HostilePathsAreRefused) {
  for (const std::string path : {"../x", "a/../x", "/etc/passwd", "a//b", "a/", ".", "..", "a/.",
                                 "", "a\nb", "a\x1b[2J", "a\\b", ".safeguard-pull/lock", "\x7f"}) {
    EXPECT_THAT(ListError(Entry(path)), HasSubstr("not safe to write")) << path;
  }
  EXPECT_THAT(ListError(Entry(std::string("a\0b", 3))), HasSubstr("not safe to write"));
  EXPECT_THAT(ListError(Entry(std::string(300, 'x'))), HasSubstr("not safe to write"));
  std::string deep = "a";
  for (int i = 0; i < 20; ++i) {
    deep += "/a";
  }
  EXPECT_THAT(ListError(Entry(deep)), HasSubstr("not safe to write"));
  EXPECT_EQ(ListError(Entry(".gitattributes")), "no error");
  EXPECT_EQ(ListError(Entry("..model/x..y")), "no error");
}

TEST(RemoteList, HostileNumbersAreRefused) {
  for (const char* size : {"-1", "1.5", "\"1\"", "null", "1e30", "99999999999999999999"}) {
    const std::string json = std::string(R"([{"type":"file","path":"a","size":)") + size + "}]";
    EXPECT_THAT(ListError(json), HasSubstr("has no size")) << size;
  }
  EXPECT_THAT(ListError(R"([{"type":"file","path":"a","size":9999999999999999}])"),
              HasSubstr("more than any model has"));
  nlohmann::json many = nlohmann::json::array();
  for (int i = 0; i < 5001; ++i) {
    many.push_back({{"type", "file"}, {"path", "f" + std::to_string(i)}, {"size", 1}});
  }
  EXPECT_THAT(ListError(many.dump()), HasSubstr("more than 5000 files"));
  EXPECT_THAT(
      ListError(R"([{"type":"file","path":"a","size":1},{"type":"file","path":"a","size":1}])"),
      HasSubstr("twice"));
  EXPECT_THAT(ListError(R"([{"type":"file","path":"a","size":1,"oid":"xyz"}])"),
              HasSubstr("is no checksum"));
  for (const char* json : {"", "{}", "[1]", "nonsense", "{\"error\": \"x\"}"}) {
    EXPECT_NE(ListError(json), "no error") << json;
  }
}

TEST(RemoteList, CommitsAreForty) {
  EXPECT_EQ(CommitOf(R"({"sha": "0123456789abcdef0123456789abcdef01234567"})"),
            "0123456789abcdef0123456789abcdef01234567");
  EXPECT_EQ(CommitOf(R"({"sha": "../../x"})"), "");
  EXPECT_EQ(CommitOf("[]"), "");
}

std::vector<RemoteFile> Files(const std::vector<std::string>& paths) {
  std::vector<RemoteFile> files;
  for (const std::string& path : paths) {
    RemoteFile file;
    file.path = path;
    file.size = 1'500'000'000;
    files.push_back(file);
  }
  return files;
}

std::vector<std::string> Choose(const std::vector<std::string>& paths,
                                const std::vector<std::string>& globs = {}) {
  const auto chosen = ChooseFiles(Files(paths), globs, "a/b");
  std::vector<std::string> names;
  if (!chosen) {
    return {Describe(chosen.error())};
  }
  for (const RemoteFile& file : *chosen) {
    names.push_back(file.path);
  }
  return names;
}

TEST(FileChoice, RootOfASafetensorsRepository) {
  EXPECT_THAT(
      Choose({".gitattributes", "LICENSE", "README.md", "USAGE_POLICY", "chat_template.jinja",
              "config.json", "generation_config.json", "metal/model.bin", "m.gguf",
              "model-00000-of-00001.safetensors", "model.safetensors.index.json",
              "original/config.json", "original/model.safetensors", "special_tokens_map.json",
              "tokenizer.json", "tokenizer_config.json", "other.json"}),
      ElementsAre("chat_template.jinja", "config.json", "generation_config.json",
                  "model-00000-of-00001.safetensors", "model.safetensors.index.json",
                  "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"));
}

TEST(FileChoice, OneGgufModelOrAnExplanation) {
  EXPECT_THAT(Choose({"README.md", "m.gguf"}), ElementsAre("m.gguf"));
  EXPECT_THAT(Choose({"m-00001-of-00002.gguf", "m-00002-of-00002.gguf"}),
              ElementsAre("m-00001-of-00002.gguf", "m-00002-of-00002.gguf"));
  EXPECT_THAT(Choose({"m-Q4.gguf", "m-Q8.gguf"}),
              ElementsAre(AllOf(HasSubstr("several GGUF models: m-Q4.gguf (1.5 GB), m-Q8.gguf"),
                                HasSubstr("--include"))));
  EXPECT_THAT(Choose({"m-Q4.gguf", "m-Q8.gguf"}, {"*Q8*"}), ElementsAre("m-Q8.gguf"));
  EXPECT_THAT(Choose({"original/model.safetensors"}),
              ElementsAre(HasSubstr("only original/model.safetensors")));
}

TEST(FileChoice, LimitsAndContradictions) {
  EXPECT_THAT(Choose({"a", "a/b"}, {"*"}), ElementsAre(HasSubstr("inside what is itself a file")));
  std::vector<std::string> many;
  for (int i = 0; i < 501; ++i) {
    many.push_back("f" + std::to_string(i));
  }
  EXPECT_THAT(Choose(many, {"*"}), ElementsAre(HasSubstr("501 files are more than the 500")));
  EXPECT_THAT(Choose({"a"}, {std::string(257, '*')}), ElementsAre(HasSubstr("longer than 256")));
}

TEST(FileChoice, BytesReadWell) {
  EXPECT_EQ(ByteText(0), "0 B");
  EXPECT_EQ(ByteText(999), "999 B");
  EXPECT_EQ(ByteText(1000), "1.0 kB");
  EXPECT_EQ(ByteText(999'999), "1.0 MB");
  EXPECT_EQ(ByteText(13'761'300'984), "13.8 GB");
}

}  // namespace
}  // namespace safeguard::apps::pull
