// entente node doctor: what is wrong with a node, and the command that mends it.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "crypto/bytes.h"
#include "node/cli/context.h"
#include "node/cli/doctor.h"
#include "node/cli/text.h"
#include "node/cli/verbs.h"
#include "node/service/errors.h"

namespace entente::cli {
namespace {

// What the shell and we ourselves say of a program that cannot be started.
constexpr int kNotStarted = 127;

absl::Status NoDaemon() {
  return service::Error(absl::StatusCode::kInternal,
                        {.what = "the node's program cannot be started",
                         .code = "NO_DAEMON",
                         .why = "What a stopped node holds is read by the node's own program.",
                         .next = "install entented beside entente"});
}

absl::Status Failed(std::string_view what) {
  return service::Error(absl::StatusCode::kInternal, {.what = what, .code = "DOCTOR_FAILED"});
}

struct Said {
  int exit_code = 0;
  std::string text;
};

// Runs entented and reads what it says; its errors go where ours go.
absl::StatusOr<Said> AskDaemon(const std::vector<std::string>& words) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::vector<std::string> all = words;
  all.insert(all.begin(), (self.parent_path() / "entented").string());
  std::vector<char*> argv;
  for (std::string& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failed("the node's program cannot be asked");
  const pid_t child = fork();
  if (child < 0) {
    close(ends[0]);
    close(ends[1]);
    return Failed("there is no room for another process");
  }
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execv(argv[0], argv.data());
    _exit(kNotStarted);
  }
  close(ends[1]);
  Said said;
  char buffer[4096];
  for (ssize_t n = 1; n > 0;) {
    n = read(ends[0], buffer, sizeof buffer);
    if (n > 0) said.text.append(buffer, static_cast<size_t>(n));
    if (n < 0 && errno == EINTR) n = 1;
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status)) return Failed("the node's program was ended before it had answered");
  said.exit_code = WEXITSTATUS(status);
  if (said.exit_code == kNotStarted) return NoDaemon();
  return said;
}

absl::Status ShowFindings(Context& context, const v1::DiagnoseResponse& response) {
  context.set_exit_code(ExitCodeOf(response));
  return context.Show(response, [&] { return FindingsText(response); });
}

absl::Status DoctorOffline(Context& context) {
  if (!context.args.Has("data")) {
    return UsageError("--offline needs the node's folder",
                      "entente node doctor --offline --data DIR --passphrase-file FILE");
  }
  std::vector<std::string> words = {"doctor", "--data", context.args.Get("data")};
  if (context.args.Has("passphrase-file")) {
    words.insert(words.end(), {"--passphrase-file", context.args.Get("passphrase-file")});
  }
  const absl::StatusOr<Said> said = AskDaemon(words);
  if (!said.ok()) return said.status();
  if (said->exit_code != 0) {
    // It has said why itself.
    context.set_exit_code(said->exit_code == kUsage ? kUsage : kFailed);
    return absl::OkStatus();
  }
  v1::DiagnoseResponse response;
  if (!response.ParseFromString(said->text)) {
    return Failed("the node's program said nothing readable");
  }
  return ShowFindings(context, response);
}

absl::Status Doctor(Context& context) {
  if (context.args.Has("offline")) return DoctorOffline(context);
  v1::DiagnoseResponse response;
  if (absl::Status s = context.Call("NodeService/Diagnose", v1::DiagnoseRequest(), &response);
      !s.ok()) {
    return s;
  }
  return ShowFindings(context, response);
}

}  // namespace

ExitCode ExitCodeOf(const v1::DiagnoseResponse& response) {
  ExitCode code = kDone;
  for (const v1::Finding& finding : response.findings()) {
    if (finding.severity() == v1::SEVERITY_ALARM) return kIntegrity;
    if (finding.severity() == v1::SEVERITY_PROBLEM) code = kFailed;
  }
  return code;
}

std::string FindingsText(const v1::DiagnoseResponse& response) {
  std::string out;
  for (const v1::Finding& finding : response.findings()) {
    const std::string_view word = finding.severity() == v1::SEVERITY_ALARM     ? "ALARM"
                                  : finding.severity() == v1::SEVERITY_PROBLEM ? "problem"
                                                                               : "advice";
    out += Cat(word, ": ", Clean(finding.what()), " [", Clean(finding.code()), "]\n");
    if (!finding.why().empty()) out += Cat("  ", Clean(finding.why()), "\n");
    out += Cat("  Next: ", Clean(finding.next()), "\n");
  }
  const ExitCode code = ExitCodeOf(response);
  return Cat(out, code == kDone        ? "the node is well\n"
                  : code == kIntegrity ? "something is not what it was signed to be\n"
                                       : "something needs mending\n");
}

Verb DoctorVerb() {
  return {
      .noun = "node",
      .verb = "doctor",
      .summary = "what is wrong with the node, and the command that mends it",
      .detail =
          "Looks at the clock, the disk, keys, partners, contradictions, agreements and "
          "what is nowhere else. Exit code 0: well; 1: something needs mending; 7: "
          "something is not what it was signed to be. An operator needs no rights in any "
          "case. --offline looks at a node that is stopped, and changes nothing.",
      .example = "entente node doctor --offline --data /srv/entente --passphrase-file passphrase",
      .flags = {{"offline", "", "the node is stopped: look at its folder"},
                {"data", "DIR", "with --offline: the node's folder"},
                {"passphrase-file", "FILE", "with --offline: passphrase of the keystore"}},
      .run = Doctor};
}

}  // namespace entente::cli
