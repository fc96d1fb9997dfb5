#include "http/spooling_sink.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace safeguard::http {
namespace {

Problem Busy(const std::string& detail) {
  return {429, "overloaded", detail, "wait as long as Retry-After says, then send again", {}, 1};
}

class SpoolingSink final : public BodySink, public std::enable_shared_from_this<SpoolingSink> {
 public:
  SpoolingSink(SpoolFolder& folder, DiskThreads& threads,
               std::function<void(std::string_view)> log_line)
      : folder_(folder), threads_(threads), log_line_(std::move(log_line)) {}

  void Take(std::string piece, Taken taken) override {
    const bool runs = threads_.Run([self = shared_from_this(), piece = std::move(piece), taken] {
      taken(self->Append(piece));
    });
    if (!runs) {
      taken(Busy("more bodies wait for the disk than may"));
    }
  }

  void GiveTo(Request& request) override {
    spool_->End();
    request.spool = std::move(spool_);
  }

 private:
  std::optional<Problem> Append(const std::string& piece) {
    if (spool_ == nullptr) {
      Result<std::shared_ptr<BodySpool>> spool = folder_.Open();
      if (!spool && spool.error().code == ErrorCode::kLimit) {
        return Busy(spool.error().message);
      }
      if (!spool) {
        return Trouble(spool.error(), 503, "unavailable", "the body cannot be kept");
      }
      spool_ = std::move(*spool);
    }
    const Status appended = spool_->Append(piece);
    if (!appended) {
      spool_ = nullptr;  // what is there takes no room meanwhile
      return Trouble(appended.error(), 507, "no-room", "there is no room for the body");
    }
    return std::nullopt;
  }

  Problem Trouble(const Error& error, int status, const char* code, const char* detail) {
    log_line_(nlohmann::ordered_json{
        {"level", "error"}, {"event", "body-not-kept"}, {"detail", Describe(error)}}
                  .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    return {status, code, detail, "send it again later; the server's log says why", {}, 1};
  }

  SpoolFolder& folder_;
  DiskThreads& threads_;
  std::function<void(std::string_view)> log_line_;
  std::shared_ptr<BodySpool> spool_;
};

}  // namespace

std::shared_ptr<BodySink> MakeSpoolingSink(SpoolFolder& folder, DiskThreads& threads,
                                           std::function<void(std::string_view)> log_line) {
  return std::make_shared<SpoolingSink>(folder, threads, std::move(log_line));
}

}  // namespace safeguard::http
