// Small rank files for tests.
#pragma once

#include <string>
#include <vector>

namespace safeguard::engine::test {

inline std::string Base64(const std::string& bytes) {
  constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : alphabet[bits >> (18 - 6 * k) & 63U];
    }
  }
  return out;
}

// The 256 single bytes in order, then `merged`.
inline std::string RankFile(const std::vector<std::string>& merged) {
  std::string file;
  std::size_t rank = 0;
  for (int byte = 0; byte < 256; ++byte) {
    file += Base64(std::string(1, static_cast<char>(byte))) + " " + std::to_string(rank++) + "\n";
  }
  for (const std::string& token : merged) {
    file += Base64(token) + " " + std::to_string(rank++) + "\n";
  }
  return file;
}

}  // namespace safeguard::engine::test
