#include "http/webhook/address_rule.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace safeguard::http {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Block {
  std::uint32_t first;
  int bits;
};

constexpr std::uint32_t V4(unsigned a, unsigned b, unsigned c = 0) {
  return a << 24 | b << 16 | c << 8;
}

constexpr Block kSpecialV4[] = {
    {V4(0, 0), 8},        // this network
    {V4(10, 0), 8},       // private
    {V4(100, 64), 10},    // shared between carriers
    {V4(127, 0), 8},      // this machine
    {V4(169, 254), 16},   // link-local; cloud metadata
    {V4(172, 16), 12},    // private
    {V4(192, 0, 0), 24},  // protocol assignments
    {V4(192, 0, 2), 24},  // documentation
    {V4(192, 31, 196), 24}, {V4(192, 52, 193), 24}, {V4(192, 88, 99), 24},  // 6to4 relays
    {V4(192, 168), 16},                                                     // private
    {V4(192, 175, 48), 24}, {V4(198, 18), 15},                              // benchmarks
    {V4(198, 51, 100), 24},                                                 // documentation
    {V4(203, 0, 113), 24},                                                  // documentation
    {V4(224, 0), 4},                                                        // multicast
    {V4(240, 0), 4},                                                        // reserved, broadcast
};

bool IsPublicV4(std::uint32_t address) {
  return std::ranges::none_of(kSpecialV4, [&](const Block& block) {
    return (address ^ block.first) >> (32 - block.bits) == 0;
  });
}

bool Begins(const Address& address, std::initializer_list<std::uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), address.bytes.begin());
}

}  // namespace

Result<Address> Address::Of(const struct sockaddr* socket_address) {
  Address address;
  if (socket_address->sa_family == AF_INET) {
    struct sockaddr_in v4{};
    std::memcpy(&v4, socket_address, sizeof v4);
    std::ranges::copy(kMapped, address.bytes.begin());
    std::memcpy(address.bytes.data() + kMapped.size(), &v4.sin_addr, 4);
    return address;
  }
  if (socket_address->sa_family == AF_INET6) {
    struct sockaddr_in6 v6{};
    std::memcpy(&v6, socket_address, sizeof v6);
    std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
    return address;
  }
  return Fail(ErrorCode::kInvalidInput, "neither an IPv4 nor an IPv6 address");
}

Result<Address> Address::Parse(const std::string& text) {
  Address address;
  std::array<std::uint8_t, 4> v4{};
  if (::inet_pton(AF_INET, text.c_str(), v4.data()) == 1) {
    std::ranges::copy(kMapped, address.bytes.begin());
    std::ranges::copy(v4, address.bytes.begin() + kMapped.size());
    return address;
  }
  if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    return address;
  }
  return Fail(ErrorCode::kInvalidInput, "not a network address: " + text,
              "as in 10.0.0.0/8, 192.168.1.7 or fd00::/8");
}

bool Address::IsIpv4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

std::string Address::Text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (IsIpv4()) {
    ::inet_ntop(AF_INET, bytes.data() + kMapped.size(), text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

Result<AddressRange> AddressRange::Parse(const std::string& text) {
  const std::size_t slash = text.find('/');
  const Result<Address> first = Address::Parse(text.substr(0, slash));
  if (!first) {
    return std::unexpected(first.error());
  }
  AddressRange range{*first, 128};
  if (slash == std::string::npos) {
    return range;
  }
  const int most = first->IsIpv4() ? 32 : 128;
  const char* const begin = text.data() + slash + 1;
  const char* const end = text.data() + text.size();
  int bits = -1;
  const auto [stop, problem] = std::from_chars(begin, end, bits);
  if (problem != std::errc() || stop != end || begin == end || bits < 0 || bits > most) {
    return Fail(ErrorCode::kInvalidInput, "not a range of network addresses: " + text,
                "as in 10.0.0.0/8, 192.168.1.7 or fd00::/8");
  }
  range.bits = bits + 128 - most;
  return range;
}

bool AddressRange::Contains(const Address& address) const {
  for (int bit = 0; bit < bits; bit += 8) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const unsigned left = static_cast<unsigned>(std::min(bits - bit, 8));
    const unsigned mask = 0xffU << (8 - left) & 0xffU;
    if (((address.bytes[at] ^ first.bytes[at]) & mask) != 0) {
      return false;
    }
  }
  return true;
}

bool IsPublic(const Address& address) {
  const auto& b = address.bytes;
  if (address.IsIpv4()) {
    return IsPublicV4(std::uint32_t{b[12]} << 24 | std::uint32_t{b[13]} << 16 |
                      std::uint32_t{b[14]} << 8 | b[15]);
  }
  // Only 2000::/3 is given out to be reached, without what is special in it.
  const bool unicast = (b[0] & 0xe0U) == 0x20U;
  const bool protocols = Begins(address, {0x20, 0x01}) && b[2] < 2;  // 2001::/23, Teredo
  const bool documentation =
      Begins(address, {0x20, 0x01, 0x0d, 0xb8}) || (Begins(address, {0x3f, 0xff}) && b[2] < 0x10);
  const bool six_to_four = Begins(address, {0x20, 0x02});
  const bool direct_delegation = Begins(address, {0x26, 0x20, 0x00, 0x4f, 0x80, 0x00});
  return unicast && !protocols && !documentation && !six_to_four && !direct_delegation;
}

}  // namespace safeguard::http
