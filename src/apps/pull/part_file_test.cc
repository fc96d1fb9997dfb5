#include "apps/pull/part_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/pull/checksum.h"
#include "apps/pull/test_hub.h"

namespace safeguard::apps::pull {
namespace {

class PartFileTest : public PullTest {
 protected:
  PartFileTest() {
    file.path = "model.safetensors";
    file.size = 10'000;
    file.checksum = {ChecksumKind::kSha256, std::string(64, 'a')};
  }
  std::unique_ptr<PartFile> Open() {
    auto part = PartFile::Open(folder + "/p", file, 4096);
    EXPECT_TRUE(part) << Describe(part.error());
    return std::move(*part);
  }

  RemoteFile file;
};

TEST_F(PartFileTest, ChunksCountWhenTheyAreWhole) {
  const auto part = Open();
  EXPECT_EQ(part->Missing(8).size(), 1U);
  EXPECT_EQ(part->Missing(1).size(), 3U);
  const std::string bytes(10'000, 'x');
  ASSERT_TRUE(part->Write(4096, bytes.substr(0, 4095)));
  part->Advance(4096, 8191);
  EXPECT_EQ(part->bytes_done(), 0U);
  ASSERT_TRUE(part->Write(8191, "x"));
  part->Advance(8191, 8192);
  EXPECT_EQ(part->bytes_done(), 4096U);
  const auto missing = part->Missing(8);
  ASSERT_EQ(missing.size(), 2U);
  EXPECT_EQ(missing[1].begin, 8192U);
  EXPECT_EQ(missing[1].end, 10'000U);
  part->Advance(8192, 10'000);
  part->Advance(0, 4096);
  EXPECT_TRUE(part->complete());
}

TEST_F(PartFileTest, OnlyWhatWasSyncedIsRemembered) {
  {
    const auto part = Open();
    part->Advance(0, 4096);
    ASSERT_TRUE(part->Sync());
    part->Advance(4096, 8192);  // and the process is killed
  }
  EXPECT_EQ(Open()->bytes_done(), 4096U);
}

TEST_F(PartFileTest, AnotherFileOrABrokenStateBeginsAnew) {
  const auto begun = [this] {
    const auto part = Open();
    part->Advance(0, 4096);
    EXPECT_TRUE(part->Sync());
  };
  begun();
  file.checksum.hex[0] = 'b';
  EXPECT_EQ(Open()->bytes_done(), 0U);
  begun();
  std::ofstream(folder + "/p.state") << "{\"format\": 1";
  EXPECT_EQ(Open()->bytes_done(), 0U);
  begun();
  std::filesystem::resize_file(folder + "/p.part", 9'999);
  EXPECT_EQ(Open()->bytes_done(), 0U);
  begun();
  std::filesystem::remove(folder + "/p.part");
  EXPECT_EQ(Open()->bytes_done(), 0U);
  file.checksum = {};
  begun();
  EXPECT_EQ(Open()->bytes_done(), 0U);  // known by nothing: not to be gone on with
}

TEST_F(PartFileTest, StatesRoundTripAndBrokenOnesAreNone) {
  PartState state{"a/b", "sha256:x", 100'000, 4096, std::vector<bool>(25)};
  state.done[0] = state.done[7] = state.done[24] = true;
  const std::string text = FormatPartState(state);
  EXPECT_EQ(ParsePartState(text), state);
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_EQ(ParsePartState(text.substr(0, size)), std::nullopt) << size;
  }
  const auto with = [&text](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return ParsePartState(changed);
  };
  EXPECT_EQ(with("\"chunk_bytes\":4096", "\"chunk_bytes\":0"), std::nullopt);
  EXPECT_EQ(with("\"chunk_bytes\":4096", "\"chunk_bytes\":8192"), std::nullopt);
  EXPECT_EQ(with("\"size\":100000", "\"size\":18446744073709551615"), std::nullopt);
  EXPECT_EQ(with("\"done\":\"1800001\"", "\"done\":\"1800003\""), std::nullopt);
  EXPECT_EQ(with("\"done\":\"1800001\"", "\"done\":\"180000x\""), std::nullopt);
}

TEST_F(PartFileTest, ChecksumsAreThoseOfOtherTools) {
  std::ofstream(folder + "/x", std::ios::binary) << "hello\n";
  std::atomic<std::uint64_t> hashed = 0;
  const auto git = ChecksumOfFile(folder + "/x", ChecksumKind::kGitSha1, hashed, stop);
  const auto sha = ChecksumOfFile(folder + "/x", ChecksumKind::kSha256, hashed, stop);
  ASSERT_TRUE(git && sha);
  EXPECT_EQ(git->hex, "ce013625030ba8dba906f756967f9e9ca394464a");  // git hash-object
  EXPECT_EQ(sha->hex,
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");  // sha256sum
  EXPECT_EQ(hashed, 12U);
  stop = true;
  EXPECT_FALSE(ChecksumOfFile(folder + "/x", ChecksumKind::kSha256, hashed, stop));
}

}  // namespace
}  // namespace safeguard::apps::pull
