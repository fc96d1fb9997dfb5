// The section `guard` of a route file.
#pragma once

#include "moderation/cascade/route_file/fields.h"
#include "moderation/route.h"
#include "moderation/route_guard.h"

namespace safeguard::moderation::route_file {

// `route`: its policies have been read. What contradicts itself is wrong, at its line.
RouteGuard ReadGuard(Fields& fields, const RouteSettings& route);

}  // namespace safeguard::moderation::route_file
