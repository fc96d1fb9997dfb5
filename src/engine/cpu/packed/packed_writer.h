// Writes a file of packed weights, in the order of its bytes and in blocks of whole huge pages, so
// that the system keeps them as such.
#pragma once

#include <string>

#include "base/result.h"
#include "base/thread_pool.h"
#include "engine/cpu/packed/pack_plan.h"

namespace safeguard::engine::cpu {

// Packs `plan` into PATH.part and renames it to `path` when all of it is on disk. The sources'
// pages are given back as it goes: beside the file's own pages it needs some 100 MB. One writer of
// a path at a time. No room: kUnavailable, and nothing is left behind.
Status WritePackedFile(const PackPlan& plan, const std::string& path, const std::string& key,
                       const std::string& times, ThreadPool& pool);

}  // namespace safeguard::engine::cpu
