// Every verb of the command, by noun. One table feeds the parser, the help, the man page and the
// shell completion.
#pragma once

#include <vector>

#include "node/cli/args.h"

namespace entente::cli {

std::vector<Verb> NodeVerbs();
std::vector<Verb> KeyVerbs();
std::vector<Verb> UserVerbs();
std::vector<Verb> AgreementVerbs();
std::vector<Verb> MembershipVerbs();
std::vector<Verb> StrategyVerbs();
std::vector<Verb> LineVerbs();
std::vector<Verb> EvidenceVerbs();
std::vector<Verb> FileVerbs();
std::vector<Verb> ImportVerbs();
std::vector<Verb> CustodyVerbs();
std::vector<Verb> ErasureVerbs();
std::vector<Verb> BundleVerbs();
std::vector<Verb> TaskVerbs();
std::vector<Verb> NoteVerbs();
std::vector<Verb> RecordVerbs();
std::vector<Verb> GrantVerbs();
std::vector<Verb> SecretVerbs();
std::vector<Verb> SyncVerbs();
std::vector<Verb> RelayVerbs();

Verb DoctorVerb();
Verb StampVerb();

const std::vector<Verb>& AllVerbs();

// `--jit`, the same everywhere.
Flag JitFlag();
Flag AudienceFlag();

}  // namespace entente::cli
