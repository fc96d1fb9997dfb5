#include "engine/cpu/packed/packed_writer.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/large_file.h"
#include "engine/cpu/large_memory.h"
#include "engine/cpu/packed/packed_header.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::size_t kBufferBytes = 8 * kPackedChunk;

class Writer {
 public:
  Writer(const PackPlan& plan, LargeFile& file, PackedHeader& header, std::uint64_t data_begin,
         ThreadPool& pool)
      : plan_(plan),
        file_(file),
        header_(header),
        data_begin_(data_begin),
        pool_(pool),
        buffer_(NewLargeMemory(kBufferBytes)),
        unfit_(plan.matrices().size()) {}

  Status Run() {
    const auto& pieces = plan_.pieces();
    for (std::size_t next = 0; next < pieces.size();) {
      const std::size_t first = next;
      while (next < pieces.size() && EndOf(pieces[next]) <= base_ + kBufferBytes) {
        ++next;
      }
      CHECK(next > first);  // a piece is far smaller than the buffer
      Pack(std::span(pieces).subspan(first, next - first));
      const std::size_t filled = EndOf(pieces[next - 1]) - base_;
      if (Status written = WriteChunks(filled, next == pieces.size()); !written) {
        return written;
      }
    }
    for (std::size_t i = 0; i < unfit_.size(); ++i) {
      header_.packed[i] = unfit_[i] == 0 ? 1 : 0;
    }
    return {};
  }

 private:
  [[nodiscard]] std::size_t EndOf(const PackPiece& piece) const {
    return plan_.BeginOf(piece) + plan_.BytesOf(piece);
  }

  void Pack(std::span<const PackPiece> pieces) {
    pool_.ParallelFor(pieces.size(), [&](std::size_t i, std::size_t) {
      std::byte* to = buffer_.get() + (plan_.BeginOf(pieces[i]) - base_);
      if (!plan_.Pack(pieces[i], to)) {
        std::memset(to, 0, plan_.BytesOf(pieces[i]));  // the same bytes each time
        unfit_[pieces[i].matrix] = 1;
      }
    });
    for (std::size_t m = pieces.front().matrix; m < pieces.back().matrix; ++m) {
      plan_.GiveBack(m);
    }
  }

  // The whole chunks among the first `filled` bytes of the buffer, at the end also the rest.
  Status WriteChunks(std::size_t filled, bool last) {
    const std::size_t count = last ? PackedChunks(filled) : filled / kPackedChunk;
    Status status;
    std::mutex mutex;
    pool_.ParallelFor(count, [&](std::size_t i, std::size_t) {
      const std::size_t begin = i * kPackedChunk;
      const std::span<const std::byte> chunk(buffer_.get() + begin,
                                             std::min(kPackedChunk, filled - begin));
      header_.chunks[base_ / kPackedChunk + i] = PackedSum(chunk);
      Status written = file_.WriteAt(data_begin_ + base_ + begin, chunk);
      if (!written) {
        const std::lock_guard lock(mutex);
        status = std::move(written);
      }
    });
    const std::size_t done = std::min(filled, count * kPackedChunk);
    std::memmove(buffer_.get(), buffer_.get() + done, filled - done);
    base_ += done;
    return status;
  }

  const PackPlan& plan_;
  LargeFile& file_;
  PackedHeader& header_;
  std::uint64_t data_begin_;
  ThreadPool& pool_;
  LargeMemory buffer_;
  std::size_t base_ = 0;  // where the buffer stands in the data; a multiple of a chunk
  std::vector<std::atomic<std::uint8_t>> unfit_;
};

}  // namespace

Status WritePackedFile(const PackPlan& plan, const std::string& path, const std::string& key,
                       const std::string& times, ThreadPool& pool) {
  PackedHeader header;
  header.key = key;
  header.times = times;
  header.data_bytes = plan.bytes();
  header.packed.resize(plan.matrices().size());
  header.chunks.resize(PackedChunks(plan.bytes()));
  const std::uint64_t begin = PackedDataBegin(WritePackedHeader(header).size());
  Result<std::unique_ptr<LargeFile>> file = LargeFile::Create(path, begin + plan.bytes());
  if (!file) {
    return std::unexpected(std::move(file.error()));
  }
  if (Status written = Writer(plan, **file, header, begin, pool).Run(); !written) {
    return written;
  }
  const std::string head = WritePackedHeader(header);
  if (Status written = (*file)->WriteAt(0, std::as_bytes(std::span(head))); !written) {
    return written;
  }
  return (*file)->Commit();
}

}  // namespace safeguard::engine::cpu
