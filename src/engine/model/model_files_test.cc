#include "engine/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/hash.h"

namespace safeguard::engine {
namespace {

TEST(ModelFiles, HashListsAreReadAsSha256sumWritesThem) {
  const std::string digest(64, 'A');
  const auto list =
      ReadHashList("# sums\n" + digest + "  a.safetensors\r\n\n" + digest + " *folder/b.gguf");
  ASSERT_TRUE(list) << Describe(list.error());
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].file, "a.safetensors");
  EXPECT_EQ((*list)[0].sha256, std::string(64, 'a'));
  EXPECT_EQ((*list)[1].file, "b.gguf");
  EXPECT_TRUE(ReadHashList("")->empty());
  for (const std::string& bad :
       {std::string("x  a"), digest, digest + " ", digest.substr(1) + "  a"}) {
    const auto read = ReadHashList("\n" + bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_THAT(read.error().message, testing::HasSubstr("line 2"));
  }
}

TEST(ModelFiles, HashesSeveralFilesAndStops) {
  std::string folder = (std::filesystem::temp_directory_path() / "safeguard_hash_XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::vector<std::string> paths;
  for (const std::string& text : {std::string("abc"), std::string(), std::string(5 << 20, 'x')}) {
    paths.push_back(folder + "/" + std::to_string(paths.size()));
    std::ofstream(paths.back(), std::ios::binary) << text;
  }
  std::uint64_t seen = 0;
  const auto digests = HashFiles(paths, 4, [&seen](std::uint64_t done) {
    seen = done;
    return true;
  });
  ASSERT_TRUE(digests);
  EXPECT_EQ(seen, (5U << 20) + 3);
  EXPECT_EQ((*digests)[0], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ((*digests)[1], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const auto stopped = HashFiles(paths, 1, [](std::uint64_t) { return false; });
  ASSERT_TRUE(stopped);
  EXPECT_TRUE(stopped->empty());
  paths.push_back(folder + "/none");
  const auto missing = HashFiles(paths, 2, nullptr);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  std::filesystem::remove_all(folder);
}

TEST(ModelFiles, PublishedFilesAreKnownByNameAndSize) {
  ASSERT_NE(FindPublished("model-00001-of-00002.safetensors", 4'798'702'184), nullptr);
  EXPECT_EQ(FindPublished("model-00001-of-00002.safetensors", 1), nullptr);
}

}  // namespace
}  // namespace safeguard::engine
