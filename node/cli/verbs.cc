#include "node/cli/verbs.h"

#include <iterator>
#include <utility>

namespace entente::cli {

Flag JitFlag() {
  return {"jit", "JIT", "which JIT, by code name or id; not needed when there is only one"};
}

Flag AudienceFlag() {
  return {"audience", "XA,XB", "the bodies that can read it (default: your own body alone)", true};
}

const std::vector<Verb>& AllVerbs() {
  static const std::vector<Verb> all = [] {
    std::vector<Verb> verbs;
    for (auto* part : {NodeVerbs,     KeyVerbs,     UserVerbs,     AgreementVerbs, MembershipVerbs,
                       StrategyVerbs, LineVerbs,    EvidenceVerbs, FileVerbs,      ImportVerbs,
                       CustodyVerbs,  ErasureVerbs, BundleVerbs,   TaskVerbs,      NoteVerbs,
                       RecordVerbs,   GrantVerbs,   SecretVerbs,   SyncVerbs,      RelayVerbs}) {
      std::vector<Verb> more = part();
      std::move(more.begin(), more.end(), std::back_inserter(verbs));
    }
    return verbs;
  }();
  return all;
}

}  // namespace entente::cli
