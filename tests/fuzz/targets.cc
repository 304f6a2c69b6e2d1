#include "tests/fuzz/targets.h"

#include <cstdio>
#include <cstdlib>

namespace entente::fuzz {

void Promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "fuzz: broken promise: %s\n", what);
  std::abort();
}

const std::vector<TargetInfo>& AllTargets() {
  static const std::vector<TargetInfo> all = {
      {"anchor", AnchorTarget, 20'000},
      {"anchor_inside", AnchorInsideTarget, 20'000},
      {"body", BodyTarget, 100'000},
      {"box_key", BoxKeyTarget, 60'000},
      {"box_key_inside", BoxKeyInsideTarget, 5'000},
      {"bundle", BundleTarget, 10'000},
      {"card", CardTarget, 60'000},
      {"card_file", CardFileTarget, 100'000},
      {"card_inside", CardInsideTarget, 10'000},
      {"certificate", CertificateTarget, 60'000},
      {"checkpoint", CheckpointTarget, 60'000},
      {"checkpoint_inside", CheckpointInsideTarget, 20'000},
      {"command", CommandTarget, 20'000},
      {"decisions", DecisionsTarget, 10'000},
      {"entry", EntryTarget, 10'000},
      {"epoch", EpochTarget, 10'000},
      {"existence", ExistenceTarget, 40'000},
      {"export_signature", ExportSignatureTarget, 40'000},
      {"file_chunks", FileChunksTarget, 60'000},
      {"fork_proof", ForkProofTarget, 10'000},
      {"form_json", FormJsonTarget, 40'000},
      {"form_text", FormTextTarget, 100'000},
      {"frame", FrameTarget, 40'000},
      {"grant", GrantTarget, 40'000},
      {"greeting", GreetingTarget, 5'000},
      {"keystore", KeystoreTarget, 100'000},
      {"keystore_inside", KeystoreInsideTarget, 20'000},
      {"member_frame", MemberFrameTarget, 40'000},
      {"merkle", MerkleTarget, 100'000},
      {"parcel", ParcelTarget, 60'000},
      {"parcel_inside", ParcelInsideTarget, 10'000},
      {"profile", ProfileTarget, 20'000},
      {"proposal", ProposalTarget, 10'000},
      {"record", RecordTarget, 40'000},
      {"register", RegisterTarget, 40'000},
      {"relay_table", RelayTableTarget, 100'000},
      {"sealed_body", SealedBodyTarget, 10'000},
      {"secret_file", SecretFileTarget, 60'000},
      {"slot_inside", SlotInsideTarget, 10'000},
      {"statement", StatementTarget, 10'000},
      {"text", TextTarget, 100'000},
      {"user_key", UserKeyTarget, 100'000},
  };
  return all;
}

const TargetInfo& FindTarget(std::string_view name) {
  for (const TargetInfo& target : AllTargets()) {
    if (target.name == name) return target;
  }
  std::fprintf(stderr, "fuzz: no target of that name; there are:\n");
  for (const TargetInfo& target : AllTargets()) {
    std::fprintf(stderr, "  %.*s\n", static_cast<int>(target.name.size()), target.name.data());
  }
  std::exit(2);
}

}  // namespace entente::fuzz
