// What a route keeps in the data folder: work for later, cases for people, and the audits of its
// screen.
#pragma once

#include "apps/route/open_route.h"
#include "base/result.h"
#include "moderation/cascade.h"

namespace safeguard::apps {

// Fills in the parts of a cascade that are kept in the data folder, each null where the route has
// no use for it:
//   deferred  the job queue as the place for what is left for later
//   review    the review queue
//   ledger    where its audits add up with those of other processes, with `calendar`; also null
//   where
//             the route leaves nothing for later and no process has made a ledger: then one process
//             sees all there is
//   bucket    of its budget, one for all processes
Status OpenKept(const LoadedRoute& route, const RouteRequest& request,
                moderation::CascadeParts& parts);

}  // namespace safeguard::apps
