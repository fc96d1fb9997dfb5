#include "base/gzip.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace safeguard {
namespace {

class Gzip : public testing::Test {
 protected:
  ~Gzip() override { std::remove(path_.c_str()); }
  void Write(const std::string& text, const char* mode = "wb") const {
    gzFile file = gzopen(path_.c_str(), mode);
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
              static_cast<int>(text.size()));
    gzclose(file);
  }
  std::string path_ = testing::TempDir() + "/gzip-" + std::to_string(::getpid()) + ".gz";
};

std::string ReadAll(std::istream& in) {
  std::string all;
  char buffer[1000];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    all.append(buffer, static_cast<std::size_t>(in.gcount()));
  }
  return all;
}

std::string Noise(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>((i * 2654435761U) >> 13U);
  }
  return text;
}

TEST_F(Gzip, UnpacksSeveralMembers) {
  const std::string big = Noise(300'000);
  Write("first\n");
  Write(big, "ab");
  const auto in = OpenGzip(path_);
  ASSERT_TRUE(in);
  EXPECT_EQ(ReadAll(**in), "first\n" + big);
  EXPECT_FALSE((*in)->bad());
}

TEST_F(Gzip, CutShortIsBadNotShort) {
  Write(Noise(300'000));
  std::string packed;
  {
    std::ifstream file(path_, std::ios::binary);
    packed.assign(std::istreambuf_iterator<char>(file), {});
  }
  std::ofstream(path_, std::ios::binary) << packed.substr(0, packed.size() / 2);
  const auto in = OpenGzip(path_);
  ASSERT_TRUE(in);
  ReadAll(**in);
  EXPECT_TRUE((*in)->bad());
}

TEST_F(Gzip, DamageIsFound) {
  Write(Noise(1000));
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(500);
    file << "####";
  }
  const auto in = OpenGzip(path_);
  ReadAll(**in);
  EXPECT_TRUE((*in)->bad());
  EXPECT_FALSE(OpenGzip("/nowhere/at/all.gz"));
}

}  // namespace
}  // namespace safeguard
