// webhook_receiver PORT_FILE SECRET_FILE [STATUS...]: who receives webhooks in tests. It answers
// the first messages with the statuses, all others with 200; 0 is no answer at all. Each message is
// a line on standard output: its id, whether its signature holds, and its body. Ends with SIGTERM.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/utc_time.h"
#include "http/test_receiver.h"
#include "http/webhook_signature.h"

namespace {

std::string Text(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  namespace http = safeguard::http;
  if (argc < 3) {
    std::fprintf(stderr, "usage: webhook_receiver PORT_FILE SECRET_FILE [STATUS...]\n");
    return 2;
  }
  const auto secrets = http::ReadSecrets(Text(argv[2]));
  if (!secrets) {
    std::fprintf(stderr, "%s\n", secrets.error().message.c_str());
    return 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  std::vector<std::string> statuses(argv + 3, argv + argc);
  std::size_t count = 0;
  http::TestReceiver receiver([&](const http::ReceivedRequest& request) -> std::string {
    const bool good =
        http::VerifyWebhook(*secrets, request.Field("webhook-id"),
                            request.Field("webhook-timestamp"), request.Field("webhook-signature"),
                            request.body, safeguard::UtcNow() / 1000)
            .has_value();
    const std::string status = count < statuses.size() ? statuses[count] : "200";
    ++count;
    std::printf("%s %s %s\n", request.Field("webhook-id").c_str(), good ? "signed" : "FORGED",
                request.body.c_str());
    std::fflush(stdout);
    return status == "0" ? "" : http::Answer(status + " Told");
  });
  // Whole at once: whoever waits for the file finds the port in it.
  const std::string part = std::string(argv[1]) + ".part";
  std::ofstream(part) << receiver.port() << "\n";
  std::rename(part.c_str(), argv[1]);
  int signal = 0;
  sigwait(&ends, &signal);
  return 0;
}
