// Everything that reads bytes from others, each behind one function. A target must survive any
// input; where it can tell, it also checks that what it accepted is what was promised. Where a
// checksum, seal or signature would stop a fuzzer at the door, a second target of the same format
// puts a good one around hostile contents ("…_inside", entry, statement, proposal …).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace entente::fuzz {

struct Target {
  std::vector<std::string> seeds;  // good inputs to start from
  // Aborts the process when a promise is broken.
  std::function<void(std::string_view)> run;
};

struct TargetInfo {
  std::string_view name;
  Target (*make)();
  int mutations;  // executions of the seeded test in an optimised build, by what one costs
};

const std::vector<TargetInfo>& AllTargets();
// Aborts for a name that does not exist.
const TargetInfo& FindTarget(std::string_view name);

// Ends the process, loudly, when a promise was not kept.
void Promise(bool kept, const char* what);

// ---- bundle_targets.cc
Target BundleTarget();
Target ExportSignatureTarget();
// ---- crypto_targets.cc
Target BodyTarget();
Target CertificateTarget();
Target CheckpointTarget();
Target CheckpointInsideTarget();
Target FileChunksTarget();
Target KeystoreTarget();
Target KeystoreInsideTarget();
Target MerkleTarget();
Target ParcelTarget();
Target SlotInsideTarget();
Target UserKeyTarget();
// ---- sync_targets.cc
Target CardTarget();
Target CardInsideTarget();
Target DecisionsTarget();
Target ForkProofTarget();
Target FrameTarget();
// ---- key_targets.cc
Target BoxKeyTarget();
Target ExistenceTarget();
Target GrantTarget();
Target SecretFileTarget();
// ---- member_targets.cc: against a whole engine, from a member that holds real keys
Target BoxKeyInsideTarget();
Target CommandTarget();
Target EntryTarget();
Target EpochTarget();
Target GreetingTarget();
Target MemberFrameTarget();
Target ParcelInsideTarget();
Target ProposalTarget();
Target SealedBodyTarget();
Target StatementTarget();
// ---- file_targets.cc
Target AnchorTarget();
Target AnchorInsideTarget();
Target CardFileTarget();
Target FormJsonTarget();
Target FormTextTarget();
Target ProfileTarget();
Target RecordTarget();
Target RegisterTarget();
Target RelayTableTarget();
Target TextTarget();

}  // namespace entente::fuzz
