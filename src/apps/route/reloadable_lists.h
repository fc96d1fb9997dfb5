// Lists of a route that follow their files.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/result.h"
#include "moderation/list_layer.h"

namespace safeguard::apps {

class ReloadableLists final : public moderation::ListLayer {
 public:
  // `reload` as Reload() does.
  ReloadableLists(std::shared_ptr<moderation::ListLayer> lists,
                  std::function<Result<bool>()> reload)
      : lists_(std::move(lists)), reload_(std::move(reload)) {}

  Result<std::vector<moderation::ListHit>> Match(const moderation::Content& content,
                                                 const moderation::Policy& policy) override {
    return lists_->Match(content, policy);
  }
  // Takes up lists whose files have changed, and tells whether any had; on an error the lists stay
  // as they were. Cheap while nothing changes. Thread-safe, also against matching.
  Result<bool> Reload() { return reload_(); }

 private:
  std::shared_ptr<moderation::ListLayer> lists_;
  std::function<Result<bool>()> reload_;
};

}  // namespace safeguard::apps
