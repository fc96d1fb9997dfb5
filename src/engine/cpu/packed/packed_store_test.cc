// The file of packed weights: the same bytes as packing in memory, whatever happens to the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "engine/cpu/packed/packed_header.h"
#include "engine/cpu/packed/packed_weights.h"
#include "engine/cpu/random_model.h"

namespace safeguard::engine::cpu {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class PackedStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) /
              ("packed-" + std::string(test->name()) + "-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    weights_file_ = (folder_ / "model.gguf").string();
    std::ofstream(weights_file_) << "stands for the checkpoint";
    options_.beside_model = true;
    options_.bytes_min = 0;
    options_.on_note = [this](const std::string& note) { notes_.push_back(note); };
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<PackedWeights> Open(DenseWeights dense = DenseWeights::kAsStored) {
    notes_.clear();
    const std::vector<std::string> files = {weights_file_};
    auto opened = PackedWeights::Open(model_.weights, dense, files, options_, pool_);
    EXPECT_TRUE(opened) << Describe(opened.error());
    return std::move(opened).value();
  }
  [[nodiscard]] std::vector<std::string> FilesIn(const fs::path& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path() != weights_file_) {
        names.push_back(entry.path().filename().string());
      }
    }
    return names;
  }
  // Every matrix that either has, byte by byte.
  bool SameAsInMemory(const PackedWeights& weights, DenseWeights dense = DenseWeights::kAsStored) {
    const auto expected = PackedWeights::Pack(model_.weights, dense, pool_).value();
    const PackPlan plan(model_.weights, dense);
    bool same = true;
    std::size_t packed = 0;
    for (const MatrixPlan& matrix : plan.matrices()) {
      const PackedMatrix* a = weights.Find(matrix.sources[0]);
      const PackedMatrix* b = expected->Find(matrix.sources[0]);
      same = same && (a == nullptr) == (b == nullptr);
      if (a != nullptr && b != nullptr) {
        ++packed;
        same = same && a->type == b->type && a->outputs == b->outputs && a->columns == b->columns &&
               std::memcmp(a->data, b->data, matrix.groups() * matrix.group_bytes()) == 0;
      }
    }
    return same && packed > 0;
  }

  RandomModel model_ = NewRandomModel(SmallConfig(), WeightType::kBF16, NibbleOrder::kAdjacent, 7);
  ThreadPool pool_{2};
  fs::path folder_;
  std::string weights_file_;
  PackedFileOptions options_;
  std::vector<std::string> notes_;
};

TEST_F(PackedStoreTest, TheSecondStartMapsWhatTheFirstMade) {
  const auto first = Open();
  EXPECT_EQ(first->report().state, PackedState::kMade);
  EXPECT_THAT(notes_, Contains(HasSubstr(first->report().path)));
  EXPECT_TRUE(SameAsInMemory(*first));
  const auto second = Open();
  EXPECT_EQ(second->report().state, PackedState::kMapped);
  EXPECT_EQ(second->report().path, first->report().path);
  EXPECT_THAT(notes_, IsEmpty());
  EXPECT_TRUE(SameAsInMemory(*second));
  EXPECT_EQ(FilesIn(folder_).size(), 1U);
}

TEST_F(PackedStoreTest, AnotherPrecisionIsAnotherFileOnlyWhereItRoundsOtherwise) {
  Open();
  EXPECT_EQ(Open(DenseWeights::kQ8)->report().state, PackedState::kMade);
  EXPECT_TRUE(SameAsInMemory(*Open(DenseWeights::kQ8), DenseWeights::kQ8));
  EXPECT_EQ(FilesIn(folder_).size(), 2U);
  EXPECT_EQ(Open(DenseWeights::kBf16)->report().state, PackedState::kMade);
  EXPECT_TRUE(SameAsInMemory(*Open(DenseWeights::kBf16), DenseWeights::kBf16));
  model_ = NewRandomModel(SmallConfig(), WeightType::kQ8_0, NibbleOrder::kHalves, 8);
  EXPECT_EQ(Open()->report().state, PackedState::kMade);
  EXPECT_EQ(Open(DenseWeights::kQ8)->report().state, PackedState::kMapped);
  EXPECT_EQ(Open(DenseWeights::kBf16)->report().state, PackedState::kMapped);
}

TEST_F(PackedStoreTest, SmallModelsAndUnwantedFilesStayInMemory) {
  options_.bytes_min = std::uint64_t{1} << 40;
  EXPECT_EQ(Open()->report().state, PackedState::kInMemory);
  options_ = {};
  EXPECT_EQ(Open()->report().state, PackedState::kInMemory);
  EXPECT_THAT(FilesIn(folder_), IsEmpty());
}

TEST_F(PackedStoreTest, ACutFileIsNamedAndMadeAgain) {
  const std::string path = Open()->report().path;
  const auto size = fs::file_size(path);
  for (const std::uintmax_t left : {std::uintmax_t{0}, std::uintmax_t{10}, std::uintmax_t{200},
                                    kPackedDataAlign + 5UL, size - 1}) {
    fs::resize_file(path, left);
    const auto weights = Open();
    EXPECT_THAT(notes_, Contains(HasSubstr(path))) << left;
    EXPECT_EQ(weights->report().state, PackedState::kMade) << left;
    EXPECT_TRUE(SameAsInMemory(*weights)) << left;
  }
  fs::resize_file(path, size + 1);
  EXPECT_EQ(Open()->report().state, PackedState::kMade);
}

TEST_F(PackedStoreTest, FlippedBitsNeverReachTheNetwork) {
  const std::string path = Open()->report().path;
  const auto size = fs::file_size(path);
  std::mt19937_64 random(3);
  for (int i = 0; i < 40; ++i) {
    // Half of them in the head, half in the data.
    const std::uint64_t at =
        i % 2 == 0 ? random() % 200 : kPackedDataAlign + random() % (size - kPackedDataAlign);
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      const int byte = file.get();
      file.seekp(static_cast<std::streamoff>(at));
      file.put(static_cast<char>(byte ^ (1 << (random() % 8))));
    }
    const auto weights = Open();
    EXPECT_TRUE(SameAsInMemory(*weights)) << at;
    EXPECT_EQ(weights->report().state, PackedState::kMade) << at;
    EXPECT_THAT(notes_, Contains(HasSubstr(path))) << at;
  }
}

TEST_F(PackedStoreTest, AChangedModelIsPackedAgain) {
  Open();
  fs::last_write_time(weights_file_, fs::last_write_time(weights_file_) + std::chrono::hours(1));
  EXPECT_EQ(Open()->report().state, PackedState::kMade);  // over the old one
  EXPECT_THAT(notes_, Contains(HasSubstr("changed since")));
  EXPECT_EQ(FilesIn(folder_).size(), 1U);
  std::ofstream(weights_file_) << "another checkpoint";
  fs::last_write_time(weights_file_, fs::last_write_time(weights_file_) + std::chrono::hours(2));
  EXPECT_EQ(Open()->report().state, PackedState::kMade);
  EXPECT_THAT(notes_, Contains(HasSubstr("removing")));
  EXPECT_EQ(FilesIn(folder_).size(), 1U);  // an old one would only take room
}

TEST_F(PackedStoreTest, ALimitOnFilesIsToldAndTheRunGoesOn) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {1 << 20, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto weights = Open();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(weights->report().state, PackedState::kInMemory);
  EXPECT_TRUE(SameAsInMemory(*weights));
  EXPECT_THAT(notes_, Contains(HasSubstr(folder_.string())));
  EXPECT_THAT(notes_, Contains(HasSubstr("weights packed in memory")));
  EXPECT_THAT(FilesIn(folder_), IsEmpty());
  EXPECT_EQ(Open()->report().state, PackedState::kMade);
}

TEST_F(PackedStoreTest, WithoutOnePlaceTheNextIsTaken) {
  options_.beside_model = false;
  options_.cache_folder = weights_file_ + "/no-folder";
  EXPECT_EQ(Open()->report().state, PackedState::kInMemory);
  EXPECT_THAT(notes_, Contains(HasSubstr("no-folder")));
  options_.cache_folder = (folder_ / "cache" / "packed").string();
  EXPECT_EQ(fs::path(Open()->report().path).parent_path(), options_.cache_folder);
  options_.beside_model = true;  // looked for there, found in the cache
  EXPECT_EQ(Open()->report().state, PackedState::kMapped);
}

TEST_F(PackedStoreTest, WhatAKilledWriterLeftIsWrittenOver) {
  const std::string path = Open()->report().path;
  fs::remove(path);
  std::ofstream(path + ".part") << "half of it";
  EXPECT_EQ(Open()->report().state, PackedState::kMade);
  EXPECT_TRUE(SameAsInMemory(*Open()));
  EXPECT_EQ(FilesIn(folder_).size(), 1U);
}

// Processes that start together: one packs, all have the same weights and one file, and each says
// which it was.
TEST_F(PackedStoreTest, ProcessesAtOnceShareOneFile) {
  if (kThreadSanitizer) {
    GTEST_SKIP() << "it cannot follow a fork";
  }
  constexpr int kProcesses = 6;
  constexpr int kPacked = 10;
  constexpr int kMapped = 11;
  int packed = 0;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ThreadPool pool(2);  // the parent's threads are not here
      const std::vector<std::string> files = {weights_file_};
      options_.on_note = nullptr;
      const auto opened =
          PackedWeights::Open(model_.weights, DenseWeights::kAsStored, files, options_, pool);
      const bool shared = opened && ((*opened)->report().state == PackedState::kMade ||
                                     (*opened)->report().state == PackedState::kMapped);
      const auto expected = PackedWeights::Pack(model_.weights, DenseWeights::kAsStored, pool);
      const MatrixView* last = &model_.weights.layers.back().experts.back().down;
      const bool same =
          shared && std::memcmp((*opened)->Find(last)->data, (*expected)->Find(last)->data,
                                PackedGroupBytes(PackedType::kMxfp4, 1)) == 0;
      const bool made = shared && (*opened)->report().state == PackedState::kMade;
      ::_exit(!same ? 1 : made ? kPacked : kMapped);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_THAT(WEXITSTATUS(status), testing::AnyOf(kPacked, kMapped));
    packed += WEXITSTATUS(status) == kPacked ? 1 : 0;
  }
  EXPECT_EQ(packed, 1);
  EXPECT_EQ(FilesIn(folder_).size(), 1U);
  EXPECT_EQ(Open()->report().state, PackedState::kMapped);
}

TEST_F(PackedStoreTest, ACopyHasTheSameBytes) {
  auto memory = PackedMemory::New(5'000'000).value();
  for (std::size_t i = 0; i < memory.bytes(); ++i) {
    memory.data()[i] = static_cast<std::byte>(i * 7 >> 3);
  }
  const auto copy = CopyOf(memory, pool_).value();
  EXPECT_EQ(copy.bytes() / (2 << 20), memory.bytes() / (2 << 20) + 1);
  EXPECT_EQ(std::memcmp(copy.data(), memory.data(), memory.bytes()), 0);
  EXPECT_TRUE(PopulateMapping(memory.data() + 5, 1'000'000));
}

}  // namespace
}  // namespace safeguard::engine::cpu
