// What a job costs on the disk: putting it in (one a call, and many), taking it and finishing it.
// Each call is one synced transaction. The folder: $SAFEGUARD_BENCH_DATA, else the current one.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "storage/stores.h"

namespace {

namespace fs = std::filesystem;
using safeguard::moderation::JobQueue;
using safeguard::moderation::NewJob;

class Folder {
 public:
  Folder() {
    const char* root = std::getenv("SAFEGUARD_BENCH_DATA");
    path_ = std::string(root == nullptr ? "." : root) + "/job_queue_bench.data";
    fs::remove_all(path_);
    auto opened =
        safeguard::storage::OpenJobQueue(path_, {.jobs_max = 10'000'000}, {.create = true});
    CHECK(opened.has_value());
    queue_ = std::move(*opened);
  }
  ~Folder() {
    queue_.reset();
    fs::remove_all(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  JobQueue& queue() { return *queue_; }

 private:
  std::string path_;
  std::unique_ptr<JobQueue> queue_;
};

// About what a comment under one policy of the store takes.
std::vector<NewJob> Jobs(std::size_t count) {
  return std::vector<NewJob>(count, NewJob{.kind = "judge", .payload = std::string(1000, 'x')});
}

void Enqueue(benchmark::State& state) {
  Folder folder;
  const std::vector<NewJob> jobs = Jobs(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    CHECK(folder.queue().Enqueue(jobs, 1).has_value());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Enqueue)->Arg(1)->Arg(100)->Unit(benchmark::kMillisecond)->UseRealTime();

// With a backlog of range(0) others.
void PutTakeAndComplete(benchmark::State& state) {
  Folder folder;
  const std::vector<NewJob> one = Jobs(1);
  CHECK(folder.queue().Enqueue(Jobs(static_cast<std::size_t>(state.range(0))), 1).has_value());
  for (auto _ : state) {
    CHECK(folder.queue().Enqueue(one, 1).has_value());
    const auto leases = folder.queue().Take({{"judge"}, 1, 60'000, "bench"}, 2);
    CHECK(leases.has_value() && leases->size() == 1);
    CHECK(folder.queue().Complete(leases->front(), "result", {}, 3).has_value());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(PutTakeAndComplete)->Arg(0)->Arg(50'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
