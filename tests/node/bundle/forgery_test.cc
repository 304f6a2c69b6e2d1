// A body that makes a bundle holds its own keys, and may lie with them. What others signed it
// cannot change; what it leaves out shows as far as others speak of it.
#include <algorithm>
#include <functional>

#include "crypto/hash.h"
#include "node/bundle/contents.h"
#include "node/bundle/proof_signature.h"
#include "tests/node/bundle/bundle_test.h"

namespace entente::bundle {
namespace {

class ForgeryTest : public BundleTest {
 protected:
  ForgeryTest() : true_(Ledger()) {}

  using Change = std::function<void(v1::BundleProof&)>;

  // The bundle as XA would make it after changing the proof: signed anew, every text to match as
  // far as there is one.
  Verdict Forge(const Change& change, const std::string& signer = "XA") {
    v1::BundleProof proof;
    EXPECT_TRUE(proof.ParseFromString(true_.files.at(std::string(kProofPath))));
    change(proof);
    const std::string bytes = proof.SerializeAsString();
    const auto jit = JitId::From(proof.jit_id());
    const auto party = PartyId::From(proof.exporter());
    const std::string signature = SignProof(node(signer).who.keys->statement, *jit, *party, bytes);
    MemoryTree tree;
    for (const auto& [path, content] : true_.files) {
      if (path.starts_with("data/files/")) tree.files[path] = content;
    }
    const auto opened = OpenedBundle::Open(bytes, signature);
    if (opened.ok()) {
      for (auto& [path, text] : Contents(**opened, bytes, signature)) tree.files[path] = text;
    } else {
      tree.files[std::string(kProofPath)] = bytes;
      tree.files[std::string(kSignaturePath)] = signature;
    }
    std::map<std::string, Digests> digests;
    for (const auto& [path, content] : tree.files) digests[path] = DigestsOf(content);
    for (auto& [name, text] : Manifests(digests)) tree.files[name] = text;
    return Verify(tree, {Words()});
  }
  v1::BundleLog* LogOf(v1::BundleProof& proof, const std::string& code) {
    for (v1::BundleLog& log : *proof.mutable_logs()) {
      if (log.author() == node(code).who.party.view()) return &log;
    }
    return nullptr;
  }

  MemoryTree true_;
};

TEST_F(ForgeryTest, TheProofSignedAnewWithoutAChangeHolds) {
  EXPECT_TRUE(Forge([](v1::BundleProof&) {}).intact);
}

TEST_F(ForgeryTest, NobodySignsForAnotherBody) {
  EXPECT_FALSE(Forge([](v1::BundleProof&) {}, "XB").intact);
}

TEST_F(ForgeryTest, EntriesOfOthersCannotBeChangedMovedOrAttributedToSomebodyElse) {
  const std::string xb = node("XB").who.party.str();
  const std::vector<std::pair<std::string, Change>> changes = {
      {"a bit of a sealed body",
       [&](v1::BundleProof& p) {
         std::string* body =
             LogOf(p, "XB")->mutable_originals(0)->mutable_entries(0)->mutable_body();
         (*body)[body->size() / 2] = static_cast<char>((*body)[body->size() / 2] ^ 1);
       }},
      {"a bit of a key",
       [&](v1::BundleProof& p) {
         (*LogOf(p, "XB")->mutable_originals(0)->mutable_keys(0)->mutable_key())[0] ^= 1;
       }},
      {"a bit of a path or header",
       [&](v1::BundleProof& p) {
         (*LogOf(p, "XB")->mutable_originals(0)->mutable_entries(0)->mutable_header())[10] ^= 1;
       }},
      {"the head of another log",
       [&](v1::BundleProof& p) {
         const std::string note = LogOf(p, "XA")->originals(0).head_note();
         LogOf(p, "XB")->mutable_originals(0)->set_head_note(note);
       }},
      {"another author", [&](v1::BundleProof& p) { LogOf(p, "XA")->set_author(xb); }},
      {"another case", [](v1::BundleProof& p) { p.set_jit_id(std::string(32, 'j')); }},
      {"a reader left out",
       [&](v1::BundleProof& p) { LogOf(p, "XA")->mutable_members()->RemoveLast(); }},
      {"another salt",
       [&](v1::BundleProof& p) { LogOf(p, "XA")->set_audience_salt(std::string(16, 's')); }},
      {"another incarnation", [&](v1::BundleProof& p) { LogOf(p, "XA")->set_incarnation(7); }},
      {"an entry twice",
       [&](v1::BundleProof& p) {
         v1::Grant* grant = LogOf(p, "XB")->mutable_originals(0);
         *grant->add_entries() = grant->entries(0);
       }},
      {"a log twice", [&](v1::BundleProof& p) { *p.add_logs() = *LogOf(p, "XB"); }},
  };
  for (const auto& [what, change] : changes) EXPECT_FALSE(Forge(change).intact) << what;
}

TEST_F(ForgeryTest, AReceiptIsItsSignersAndForThisLog) {
  const auto with_receipt = [](v1::BundleProof& p) -> v1::BundleReceipt* {
    for (v1::BundleLog& log : *p.mutable_logs()) {
      if (log.receipts_size() > 0) return log.mutable_receipts(0);
    }
    return nullptr;
  };
  bool any = false;
  const auto spoil = [&](const std::function<void(v1::BundleReceipt&)>& change) {
    return Forge([&](v1::BundleProof& p) {
      v1::BundleReceipt* receipt = with_receipt(p);
      any = receipt != nullptr;
      if (any) change(*receipt);
    });
  };
  EXPECT_FALSE(
      spoil([&](v1::BundleReceipt& r) { r.set_party(node("XC").who.party.str()); }).intact);
  EXPECT_TRUE(any);
  EXPECT_FALSE(spoil([](v1::BundleReceipt& r) { r.set_size(r.size() + 1); }).intact);
  EXPECT_FALSE(spoil([](v1::BundleReceipt& r) { r.set_root(std::string(32, 'r')); }).intact);
  EXPECT_FALSE(
      spoil([](v1::BundleReceipt& r) { r.set_cosignature(r.cosignature() + " "); }).intact);
  EXPECT_FALSE(spoil([](v1::BundleReceipt& r) { r.add_consistency(std::string(32, 'c')); }).intact);
  EXPECT_FALSE(spoil([](v1::BundleReceipt& r) { r.set_size(0); }).intact);
}

TEST_F(ForgeryTest, WithoutTheAgreementOrACardThereIsNoBundle) {
  EXPECT_FALSE(Forge([](v1::BundleProof& p) { p.mutable_cards()->RemoveLast(); }).intact);
  EXPECT_FALSE(Forge([](v1::BundleProof& p) { p.clear_cards(); }).intact);
  EXPECT_FALSE(Forge([](v1::BundleProof& p) { p.clear_logs(); }).intact);
  EXPECT_FALSE(Forge([](v1::BundleProof& p) { p.clear_records(); }).intact);
  EXPECT_FALSE(Forge([](v1::BundleProof& p) { p.add_records(p.records(0)); }).intact);
  EXPECT_FALSE(Forge([](v1::BundleProof& p) { p.set_format(2); }).intact);
}

// Leaving out what another body wrote takes away what it proves: the hand-over has no answer then.
TEST_F(ForgeryTest, AReceiptLeftOutIsAHandOverLeftOpen) {
  const Verdict whole = Forge([](v1::BundleProof&) {});
  EXPECT_FALSE(Says(whole.not_shown, "that XC received what was handed over"));
  const std::string xc = node("XC").who.party.str();
  const Verdict verdict = Forge([&](v1::BundleProof& p) {
    auto* logs = p.mutable_logs();
    for (int i = logs->size() - 1; i >= 0; --i) {
      // Those of XC in which it answered, not the one in which it signed the agreement.
      if (logs->at(i).author() == xc && logs->at(i).members_size() == 3) logs->DeleteSubrange(i, 1);
    }
  });
  ASSERT_TRUE(verdict.intact) << testing::PrintToString(verdict.refusals);
  EXPECT_TRUE(Says(verdict.not_shown, "that XC received what was handed over"));
}

TEST_F(ForgeryTest, AnEarlierEntryOfTheSameBodyLeftOutIsNoticed) {
  const Verdict verdict = Forge([&](v1::BundleProof& p) {
    // The creation, in the log of XA and XB.
    for (int i = p.logs_size() - 1; i >= 0; --i) {
      if (p.logs(i).author() == node("XA").who.party.view() && p.logs(i).members_size() == 2) {
        p.mutable_logs()->DeleteSubrange(i, 1);
      }
    }
  });
  EXPECT_TRUE(!verdict.intact || Says(verdict.not_shown, "an entry speaks of another one"))
      << testing::PrintToString(verdict.not_shown);
}

}  // namespace
}  // namespace entente::bundle
