// What the command line said of `safeguard eval --route`.
#pragma once

#include <string>

#include "apps/command_line/arguments.h"

namespace safeguard::apps {

struct EvalRouteArguments {
  EvalArguments eval;  // without policies: they are the route's
  std::string route;   // a file: its cascade is measured
};

}  // namespace safeguard::apps
