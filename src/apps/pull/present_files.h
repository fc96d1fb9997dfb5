// Which files of a list are in the folder already.
#pragma once

#include <atomic>
#include <cstdint>

#include "apps/pull/pull_folder.h"
#include "apps/pull/pull_observer.h"
#include "apps/pull/pull_record.h"
#include "apps/pull/remote_file.h"

namespace safeguard::apps::pull {

enum class Presence {
  kAbsent,    // not there, or ours and out of date: to be fetched
  kKnown,     // there, as it was when it was checked
  kVerified,  // there, with the published checksum; `record` says so now
};

// A file that is unchanged since an earlier pull checked it is known by size and time, unless
// `verify`. Any other is hashed. One that is there, differs and is not ours: kInvalidInput, for it
// is not overwritten.
Result<Presence> FindPresent(const PullFolder& folder, const RemoteFile& file, bool verify,
                             PullRecord& record, PullObserver& observer,
                             const std::atomic<bool>& stop);

}  // namespace safeguard::apps::pull
