#include "base/gzip.h"

#include <zlib.h>

#include <array>
#include <stdexcept>
#include <streambuf>

namespace safeguard {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{64} << 10;

class GzipBuffer final : public std::streambuf {
 public:
  explicit GzipBuffer(gzFile file) : file_(file) {}
  ~GzipBuffer() override { gzclose(file_); }
  GzipBuffer(const GzipBuffer&) = delete;
  GzipBuffer& operator=(const GzipBuffer&) = delete;

 protected:
  int_type underflow() override {
    const int count = gzread(file_, bytes_.data(), static_cast<unsigned>(bytes_.size()));
    int error = Z_OK;
    gzerror(file_, &error);
    if (count < 0 || (error != Z_OK && error != Z_STREAM_END)) {
      throw std::runtime_error("gzip");  // the stream catches it and turns bad
    }
    if (count == 0) {
      return traits_type::eof();
    }
    setg(bytes_.data(), bytes_.data(), bytes_.data() + count);
    return traits_type::to_int_type(bytes_.front());
  }

 private:
  gzFile file_;
  std::array<char, kBufferBytes> bytes_{};
};

class GzipStream final : public std::istream {
 public:
  explicit GzipStream(gzFile file) : std::istream(nullptr), buffer_(file) { rdbuf(&buffer_); }

 private:
  GzipBuffer buffer_;
};

}  // namespace

Result<std::unique_ptr<std::istream>> OpenGzip(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    return Fail(ErrorCode::kUnavailable, "cannot open " + path, "check the permissions");
  }
  return std::make_unique<GzipStream>(file);
}

}  // namespace safeguard
