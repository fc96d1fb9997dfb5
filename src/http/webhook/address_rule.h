// Which network addresses a webhook may lead to: a URL comes from outside, and must not become a
// way into the network that this process stands in (server-side request forgery).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sockaddr;

namespace safeguard::http {

// IPv6, or IPv4 mapped into it (::ffff:0:0/96).
struct Address {
  std::array<std::uint8_t, 16> bytes{};

  // Nothing but IPv4 and IPv6: kInvalidInput. REQUIRES: the address is as long as its family says.
  static Result<Address> Of(const struct sockaddr* socket_address);
  // "127.0.0.1", "2001:db8::1".
  static Result<Address> Parse(const std::string& text);
  [[nodiscard]] bool IsIpv4() const;
  [[nodiscard]] std::string Text() const;
};

struct AddressRange {
  Address first;
  int bits = 128;  // of the IPv6 form

  // "10.0.0.0/8", "fd00::/8"; an address alone is a range of one.
  static Result<AddressRange> Parse(const std::string& text);
  [[nodiscard]] bool Contains(const Address& address) const;
};

// An address that anybody on the internet may reach: none of the private, local, shared, test,
// multicast and reserved ranges of the IANA special-purpose registries (RFC 6890 and its
// successors), and of IPv6 none that carries an IPv4 address within (NAT64, 6to4, Teredo).
bool IsPublic(const Address& address);

}  // namespace safeguard::http
