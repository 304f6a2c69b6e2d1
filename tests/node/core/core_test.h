// A small federation in one process for tests of commands: typed calls, refusals by their code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "entente/v1/client.pb.h"
#include "gtest/gtest.h"
#include "tests/sim/opening.h"
#include "tests/support/status_testing.h"

namespace entente::core {

class CoreTest : public testing::Test {
 protected:
  explicit CoreTest(bool open_jit = true) {
    for (auto& node : world_.nodes()) node->Boot();
    if (open_jit) {
      EXPECT_TRUE(sim::OpenJit(world_, acts_)) << acts_.first_refusal();
    }
  }

  // Calls `method` ("TaskService/AcceptTask") at the node of `code`.
  template <class Response, class Request>
  absl::StatusOr<Response> Call(const std::string& code, const std::string& method,
                                const Request& request, std::vector<UploadedFile> uploads = {}) {
    absl::StatusOr<Response> out = absl::InternalError("no answer");
    world_.Call(
        world_.node(code), "/entente.v1." + method, std::make_shared<Request>(request),
        [&](const Answer& answer, const sim::Rows&) {
          if (!answer.status.ok()) {
            out = answer.status;
          } else {
            out = *dynamic_cast<const Response*>(answer.response.get());
          }
        },
        std::move(uploads));
    return out;
  }
  // The reference of a new note of `who` for `audience`, which names it too.
  absl::StatusOr<std::string> Note(const std::string& who, const std::string& text,
                                   const std::vector<std::string>& audience) {
    v1::AddNotesRequest request;
    request.add_texts(text);
    for (const std::string& code : audience) request.add_audience(code);
    const auto done = Call<v1::AddNotesResponse>(who, "RecordService/AddNotes", request);
    if (!done.ok()) return done.status();
    return done->refs(0);
  }
  // An item of evidence as `who` is shown it.
  v1::RecordView Show(const std::string& who, const std::string& ref) {
    v1::ShowEvidenceRequest request;
    request.set_record(ref);
    const auto shown = Call<v1::ShowEvidenceResponse>(who, "EvidenceService/ShowEvidence", request);
    EXPECT_OK(shown);
    return shown.ok() ? shown->record() : v1::RecordView();
  }
  void Settle() { world_.RunFor(absl::Minutes(3)); }
  sim::Node& node(const std::string& code) { return world_.node(code); }

  sim::World world_{sim::World::Setup{}};
  sim::Ledger ledger_{world_};
  sim::Acts acts_{world_, ledger_};
};

}  // namespace entente::core
