// A token bucket in a file that any number of processes map: a lock and a few stores an exchange,
// no write that waits for the disk. Survives the processes; after a loss of power it may stand as
// it stood a little earlier.
//
// A process that dies while it holds the lock lets it go, and in whatever step it died the bucket
// holds what it held or less. A process that is stopped in it makes the others wait no longer than
// `wait` each time; until it goes on nobody agrees with it, and so nobody grants.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "moderation/shared_bucket.h"

namespace safeguard::storage {

struct SharedBucketOptions {
  std::chrono::milliseconds wait{5};  // for the lock
  // Of all processes the same; empty: the time since the machine was started.
  std::function<moderation::Duration()> now{};
};

// The bucket `name` in `data_folder`, which is made where it is missing. A file that is not a
// bucket of this version is begun anew, empty. kUnavailable: it cannot be made or mapped.
Result<std::unique_ptr<moderation::SharedBucket>> OpenSharedBucket(const std::string& data_folder,
                                                                   const std::string& name,
                                                                   SharedBucketOptions options);

}  // namespace safeguard::storage
