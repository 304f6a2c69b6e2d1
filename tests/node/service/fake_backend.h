// A node behind the service layer that answers what the test says and remembers what it was asked.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "node/service/api_server.h"

namespace entente::service {

class FakeBackend : public Backend {
 public:
  void Submit(core::Command command, std::function<void(core::Answer)> done) override {
    asked.push_back(command.method + " by " + command.caller.user);
    core::Answer answer;
    answer.call = command.call;
    const auto it = answers.find(command.method);
    if (it == answers.end()) {
      answer.status = absl::UnimplementedError("the test has no answer for this");
    } else {
      answer.response = it->second;
    }
    done(std::move(answer));
  }
  std::vector<core::Engine::User> Users() override { return users; }

  std::map<std::string, std::shared_ptr<google::protobuf::Message>> answers;
  std::vector<core::Engine::User> users;
  std::vector<std::string> asked;
};

}  // namespace entente::service
