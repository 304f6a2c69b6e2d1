// What a verb works with: its arguments, the node, and the person's terminal. A verb converts,
// calls, shows; rules live in the node.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "node/cli/args.h"
#include "node/cli/client.h"
#include "node/cli/exit_code.h"

namespace entente::cli {

// Where words go and come from; tests hand in strings.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  bool in_is_terminal = false;   // a person can be asked
  bool err_is_terminal = false;  // progress bars make sense
  GetEnv env;
};

class Context {
 public:
  Context(const Verb& verb, const Args& words, Terminal& terminal)
      : args(words), verb_(verb), terminal_(terminal) {}

  const Args& args;

  bool json() const { return args.Has("json"); }
  bool quiet() const { return args.Has("quiet"); }
  bool dry_run() const { return args.Has("dry-run"); }
  const Verb& verb() const { return verb_; }

  // ---- the node; the first use connects and signs in

  absl::StatusOr<Client*> Connect();
  absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* response);
  // For the idempotency_key of a command: random, or from --request-id.
  std::string Key();
  // Party ids, raw, by code, from the trusted cards.
  absl::StatusOr<const std::map<std::string, std::string>*> KnownParties();
  // The party id, raw, behind a code, from the trusted cards. NotFound [UNKNOWN_PARTY].
  absl::StatusOr<std::string> Party(std::string_view code);

  // ---- the person

  // Results, on standard output: the response as JSON with --json, else the text.
  absl::Status Show(const google::protobuf::Message& response,
                    const std::function<std::string()>& text);
  // What a command did: with --quiet only `id`.
  absl::Status Done(const google::protobuf::Message& response, std::string_view id,
                    std::string_view sentence);
  void Print(std::string_view text) { terminal_.out << text; }
  // Hints and warnings, on standard error; never with --json or --quiet.
  void Hint(std::string_view text);
  // Asks, when a person is there to answer; a script has decided already. Aborted [NOT_CONFIRMED].
  absl::Status Confirm(std::string_view sentence);
  // Draws progress of `what` on a terminal; empty when there is none to draw on.
  Client::Progress ProgressOf(std::string what);
  std::string Ask(std::string_view question);

  void set_exit_code(ExitCode code) { exit_code_ = code; }
  ExitCode exit_code() const { return exit_code_; }
  Terminal& terminal() { return terminal_; }

 private:
  const Verb& verb_;
  Terminal& terminal_;
  std::unique_ptr<Client> client_;
  std::map<std::string, std::string> parties_;
  ExitCode exit_code_ = kDone;
};

// Runs one command line (without the program's name) and returns how to exit.
ExitCode RunCommand(std::vector<std::string> words, Terminal& terminal);

}  // namespace entente::cli
