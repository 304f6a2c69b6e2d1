// A small federation in one process for tests of commands: typed calls, refusals by their code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "entente/v1/client.pb.h"
#include "gtest/gtest.h"
#include "tests/sim/scenario.h"
#include "tests/sim/world.h"
#include "tests/support/status_testing.h"

namespace entente::core {

class CoreTest : public testing::Test {
 protected:
  explicit CoreTest(bool open_jit = true) {
    if (open_jit) scenario_.OpenJit();
  }

  // Calls `method` ("TaskService/AcceptTask") at the node of `code`.
  template <class Response, class Request>
  absl::StatusOr<Response> Call(const std::string& code, const std::string& method,
                                const Request& request, std::vector<UploadedFile> uploads = {}) {
    absl::StatusOr<Response> out = absl::InternalError("no answer");
    world_.Call(
        world_.node(code), "/entente.v1." + method, std::make_shared<Request>(request),
        [&](const Answer& answer) {
          if (!answer.status.ok()) {
            out = answer.status;
          } else {
            out = *dynamic_cast<const Response*>(answer.response.get());
          }
        },
        std::move(uploads));
    return out;
  }
  void Settle() { world_.RunFor(absl::Minutes(3)); }
  sim::SimNode& node(const std::string& code) { return world_.node(code); }

  sim::World world_{sim::World::Setup{}};
  sim::Scenario scenario_{world_};
};

}  // namespace entente::core
