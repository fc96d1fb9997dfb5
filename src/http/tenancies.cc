#include "http/tenancies.h"

#include <utility>

#include "base/check.h"
#include "http/gateway/gateway.h"

namespace safeguard::http {
namespace {

constexpr const char* kCascadeName = "safeguard-cascade";  // as moderation objects call it

// Those of the routes that guard traffic. What their reasoners are asked inside a stream has the
// time that the route has for any request.
std::vector<Guarding> GuardedRoutes(const ServiceParts& parts) {
  std::vector<Guarding> guarded;
  for (const ServedRoute& route : parts.routes) {
    if (!route.guard) {
      continue;
    }
    GuardOptions options = *route.guard;
    options.judge_time_max = TimeOf(route);
    options.stream.limits.score_max = TimeOf(route);
    for (auto* const policies : {&options.input_policies, &options.output_policies}) {
      if (policies->empty()) {
        *policies = route.policies;
      }
    }
    guarded.push_back(
        {route.name, std::move(options), route.judging, route.slow_judging, kCascadeName});
  }
  return guarded;
}

}  // namespace

Tenancy::Tenancy(std::string name_of_it, const ServiceParts& parts, const ServiceOptions& options,
                 DiskThreads& pieces)
    : name(std::move(name_of_it)), context{parts, options, options.timeout, nullptr, &pieces} {
  if (parts.upstream != nullptr) {
    const ProxyOptions& proxied = context.options.proxy;
    proxy =
        std::make_unique<Proxy>(ExchangeParts{context.parts.metrics, *context.parts.upstream,
                                              context.parts.now, context.parts.log_line, proxied},
                                Guardings({"", proxied.guard, context.parts.judging,
                                           context.parts.slow_judging, context.options.model},
                                          GuardedRoutes(context.parts), proxied.need_route));
    context.proxy = proxy.get();
  }
  for (auto* const make : {JudgeRoutes, JobRoutes, ReviewRoutes, ModerationRoutes, ChatRoutes,
                           HookRoutes, ScoreRoutes, PolicyRoutes, VerdictRoutes, ShadowRoutes,
                           FileRoutes, BatchRoutes, DatasetRoutes, EvalRoutes, ServedRouteRoutes}) {
    for (Route& route : make(context)) {
      table.Add(route);
      routes.push_back(std::move(route));
    }
  }
  if (parts.batches != nullptr && parts.files != nullptr) {
    batch_worker = std::make_unique<BatchWorker>(
        context, [this](std::shared_ptr<Request> request, Reply reply) {
          const RouteTable::Entry* entry = table.Find(*request);
          CHECK(entry != nullptr && !entry->route.blocking);
          request->tenant = name;
          entry->route.handler(request, reply);
        });
  }
}

Tenancies::Tenancies(const ServiceParts& parts, const ServiceOptions& options, DiskThreads& pieces)
    : parts_(parts),
      options_(options),
      pieces_(pieces),
      default_(std::string(kDefaultTenant), parts, options, pieces),
      timeout_(options.timeout) {}

Tenancy* Tenancies::Find(const std::string& name) {
  if (name == kDefaultTenant) {
    return &default_;
  }
  const std::lock_guard lock(mutex_);
  if (const auto found = others_.find(name); found != others_.end()) {
    return found->second.get();
  }
  const TenantParts* own = parts_.find_tenant ? parts_.find_tenant(name) : nullptr;
  if (own == nullptr) {
    return nullptr;
  }
  auto tenancy = std::make_unique<Tenancy>(name, PartsOf(*own), options_, pieces_);
  tenancy->context.timeout.store(timeout_);
  return others_.emplace(name, std::move(tenancy)).first->second.get();
}

void Tenancies::SetTimeout(std::chrono::milliseconds timeout) {
  const std::lock_guard lock(mutex_);
  timeout_ = timeout;
  default_.context.timeout.store(timeout);
  for (const auto& [name, tenancy] : others_) {
    tenancy->context.timeout.store(timeout);
  }
}

std::size_t Tenancies::Waiting() {
  std::size_t waiting = 0;
  for (const Tenancy* tenancy : All()) {
    waiting += tenancy->context.parts.judging.waiting();
  }
  return waiting;
}

void Tenancies::Stop() {
  const std::vector<Tenancy*> all = All();  // without the lock: what they wait for may look here
  for (Tenancy* tenancy : all) {
    if (tenancy->batch_worker != nullptr) {
      tenancy->batch_worker->Stop();
    }
  }
  for (Tenancy* tenancy : all) {
    if (tenancy->proxy != nullptr) {
      tenancy->proxy->Stop();
    }
  }
}

std::vector<Tenancy*> Tenancies::All() {
  const std::lock_guard lock(mutex_);
  std::vector<Tenancy*> all = {&default_};
  for (const auto& [name, tenancy] : others_) {
    all.push_back(tenancy.get());
  }
  return all;
}

ServiceParts Tenancies::PartsOf(const TenantParts& own) const {
  return {.judging = own.judging,
          .shelf = own.shelf,
          .store = own.store,
          .log = own.log,
          .keys = parts_.keys,
          .metrics = parts_.metrics,
          .read_golden = parts_.read_golden,
          .now = parts_.now,
          .random_bytes = parts_.random_bytes,
          .log_line = parts_.log_line,
          .chat = parts_.chat,
          .upstream = parts_.upstream,
          .queue = own.queue,
          .check_webhook = parts_.check_webhook,
          .reviews = own.reviews,
          .files = own.files,
          .batches = own.batches,
          .read_dataset = own.read_dataset,
          .slow_judging = own.slow_judging,
          .count_tokens = parts_.count_tokens,
          .find_tenant = {},
          .sign_receipt = own.sign_receipt,
          .routes = {}};  // the operator's
}

}  // namespace safeguard::http
