#include "engine/cpu/packed/packed_header.h"

#include <bit>
#include <cstring>
#include <string_view>

#include "base/hash.h"

namespace safeguard::engine::cpu {
namespace {

constexpr std::string_view kMagic = "SGPACKED";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHexDigits = 64;

template <typename Integer>
void Append(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xFFU);
  }
}

template <typename Integer>
Integer Read(std::span<const std::byte> bytes, std::size_t at) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value |= static_cast<Integer>(std::to_integer<Integer>(bytes[at + i]) << (8 * i));
  }
  return value;
}

std::string_view Text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unexpected<Error> Damaged(const char* what) {
  return Fail(ErrorCode::kCorruptFile, what, "it is written anew");
}

std::uint64_t HeadBytes(std::uint64_t times, std::uint64_t matrices, std::uint64_t chunks) {
  return kPackedHeaderFixedBytes + kHexDigits + times + matrices + 8 * chunks + kHexDigits;
}

}  // namespace

std::string WritePackedHeader(const PackedHeader& header) {
  const std::uint64_t bytes =
      HeadBytes(header.times.size(), header.packed.size(), header.chunks.size());
  std::string out(kMagic);
  Append(out, kVersion);
  Append(out, static_cast<std::uint32_t>(bytes));
  Append(out, PackedDataBegin(bytes));
  Append(out, header.data_bytes);
  Append(out, static_cast<std::uint32_t>(header.times.size()));
  Append(out, static_cast<std::uint32_t>(header.packed.size()));
  Append(out, static_cast<std::uint32_t>(header.chunks.size()));
  out += header.key;
  out += header.times;
  for (const std::uint8_t packed : header.packed) {
    Append(out, packed);
  }
  for (const std::uint64_t sum : header.chunks) {
    Append(out, sum);
  }
  return out + Blake2bHex(out);
}

std::uint64_t PackedDataBegin(std::size_t header_bytes) {
  return (header_bytes + kPackedDataAlign - 1) / kPackedDataAlign * kPackedDataAlign;
}

Result<std::size_t> PackedHeaderBytes(std::span<const std::byte> start) {
  if (start.size() < kPackedHeaderFixedBytes || Text(start.first(kMagic.size())) != kMagic) {
    return Damaged("it is no file of packed weights");
  }
  if (Read<std::uint32_t>(start, 8) != kVersion) {
    return Damaged("it was written by another version");
  }
  const std::size_t bytes = Read<std::uint32_t>(start, 12);
  if (bytes > kPackedHeaderBytesMax ||
      bytes != HeadBytes(Read<std::uint32_t>(start, 32), Read<std::uint32_t>(start, 36),
                         Read<std::uint32_t>(start, 40)) ||
      Read<std::uint64_t>(start, 16) != PackedDataBegin(bytes)) {
    return Damaged("its head is damaged");
  }
  return bytes;
}

Result<PackedHeader> ReadPackedHeader(std::span<const std::byte> bytes) {
  const Result<std::size_t> size = PackedHeaderBytes(bytes);
  if (!size) {
    return std::unexpected(size.error());
  }
  const std::size_t body = *size - kHexDigits;
  if (bytes.size() != *size || Blake2bHex(Text(bytes.first(body))) != Text(bytes.subspan(body))) {
    return Damaged("its head is damaged");
  }
  PackedHeader header;
  header.data_bytes = Read<std::uint64_t>(bytes, 24);
  const std::size_t times = Read<std::uint32_t>(bytes, 32);
  const std::size_t matrices = Read<std::uint32_t>(bytes, 36);
  const std::size_t chunks = Read<std::uint32_t>(bytes, 40);
  std::size_t at = kPackedHeaderFixedBytes;
  header.key = Text(bytes.subspan(at, kHexDigits));
  at += kHexDigits;
  header.times = Text(bytes.subspan(at, times));
  at += times;
  for (std::size_t i = 0; i < matrices; ++i, ++at) {
    header.packed.push_back(std::to_integer<std::uint8_t>(bytes[at]));
  }
  for (std::size_t i = 0; i < chunks; ++i, at += 8) {
    header.chunks.push_back(Read<std::uint64_t>(bytes, at));
  }
  if (chunks != PackedChunks(header.data_bytes)) {
    return Damaged("its head is damaged");
  }
  return header;
}

// Eight chains, each x = rotate(x ^ word) * odd: every step can be undone, so two different words
// never come to the same x.
std::uint64_t PackedSum(std::span<const std::byte> bytes) {
  constexpr std::size_t kChains = 8;
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15U;
  const auto step = [](std::uint64_t x, std::uint64_t word) {
    return std::rotl(x ^ word, 27) * kOdd;
  };
  std::uint64_t chains[kChains];
  for (std::size_t c = 0; c < kChains; ++c) {
    chains[c] = step(c, bytes.size());
  }
  std::size_t at = 0;
  for (; at + kChains * 8 <= bytes.size(); at += kChains * 8) {
    std::uint64_t words[kChains];
    std::memcpy(words, bytes.data() + at, sizeof words);
    for (std::size_t c = 0; c < kChains; ++c) {
      chains[c] = step(chains[c], words[c]);
    }
  }
  for (; at < bytes.size(); ++at) {
    chains[0] = step(chains[0], std::to_integer<std::uint64_t>(bytes[at]));
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t chain : chains) {
    sum = step(sum, chain);
  }
  return sum;
}

}  // namespace safeguard::engine::cpu
