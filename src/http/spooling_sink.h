// Bodies that go to the disk as they arrive.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/body_sink.h"
#include "http/body_spool.h"
#include "http/disk_threads.h"

namespace safeguard::http {

// `folder` and `threads` outlive it; `log_line` is told what the client is not: the folder, and
// what the system says. A disk without room is 507, one that fails 503, too many bodies at once
// 429.
std::shared_ptr<BodySink> MakeSpoolingSink(SpoolFolder& folder, DiskThreads& threads,
                                           std::function<void(std::string_view)> log_line);

}  // namespace safeguard::http
