// Which route a path is.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "http/api/routes.h"
#include "http/message.h"

namespace safeguard::http {

class RouteTable {
 public:
  struct Entry {
    Route route;
    std::size_t index;                    // of Add()
    std::vector<std::string_view> parts;  // of route.pattern
  };

  void Add(const Route& route);

  // The route of the request, whose values it sets; null where there is none. HEAD is GET.
  const Entry* Find(Request& request) const;
  // What the path may be asked with, as the Allow header says it; empty where it is no path.
  [[nodiscard]] std::string MethodsOf(const std::string& path) const;

 private:
  std::deque<Entry> entries_;  // they stay where they are
};

}  // namespace safeguard::http
