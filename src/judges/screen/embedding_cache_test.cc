#include "judges/screen/embedding_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.h"

namespace safeguard::judges {
namespace {

namespace fs = std::filesystem;

class EmbeddingCaches : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = (fs::path(testing::TempDir()) / ("cache_" + std::to_string(::getpid()))).string();
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string OnlyFile() const {
    return fs::directory_iterator(folder_ + "/embeddings")->path().string();
  }

  std::string folder_;
  std::vector<std::string_view> texts_ = {"one. two.", ""};
  std::vector<EmbeddedText> embedded_ = {{{{0, 9}, {0, 4}}, {1, 0, 0, 1}}, {{}, {}}};
};

TEST_F(EmbeddingCaches, GivesBackWhatWasStored) {
  const EmbeddingCache cache(folder_, "model");
  EXPECT_FALSE(cache.Find(texts_, 2));
  cache.Store(texts_, embedded_, 2);
  const auto found = cache.Find(texts_, 2);
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)[0].units, embedded_[0].units);
  EXPECT_EQ((*found)[0].embeddings, embedded_[0].embeddings);
  EXPECT_TRUE((*found)[1].units.empty());
}

TEST_F(EmbeddingCaches, KeepsModelsWidthsAndTextsApart) {
  EmbeddingCache(folder_, "model").Store(texts_, embedded_, 2);
  EXPECT_FALSE(EmbeddingCache(folder_, "other").Find(texts_, 2));
  EXPECT_FALSE(EmbeddingCache(folder_, "model").Find(texts_, 4));
  const std::vector<std::string_view> joined = {"one. two./0:"};
  EXPECT_FALSE(EmbeddingCache(folder_, "model").Find(joined, 2));
}

TEST_F(EmbeddingCaches, EveryDamagedByteIsNoticed) {
  const EmbeddingCache cache(folder_, "model");
  cache.Store(texts_, embedded_, 2);
  const std::string path = OnlyFile();
  const std::string good = ReadFile(path, 1 << 20).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    std::ofstream(path, std::ios::binary) << bad;
    ASSERT_FALSE(cache.Find(texts_, 2)) << "byte " << i;
    std::ofstream(path, std::ios::binary) << good.substr(0, i);
    ASSERT_FALSE(cache.Find(texts_, 2)) << "cut at " << i;
  }
}

TEST_F(EmbeddingCaches, AFolderThatCannotBeWrittenCostsNothing) {
  const EmbeddingCache cache("/proc/none", "model");
  cache.Store(texts_, embedded_, 2);
  EXPECT_FALSE(cache.Find(texts_, 2));
}

}  // namespace
}  // namespace safeguard::judges
