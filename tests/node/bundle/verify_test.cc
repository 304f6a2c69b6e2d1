// What a bundle proves, what it leaves open, and that no byte of it can be changed.
#include "node/bundle/verify.h"

#include "node/bundle/contents.h"
#include "tests/node/bundle/bundle_test.h"

namespace entente::bundle {
namespace {

using VerifyTest = BundleTest;

TEST_F(VerifyTest, AnUntouchedBundleHoldsAndSaysWhatItProves) {
  const Verdict verdict = Verify(Ledger(), {Words()});
  ASSERT_TRUE(verdict.intact) << testing::PrintToString(verdict.refusals);
  EXPECT_TRUE(verdict.bodies_confirmed);
  EXPECT_TRUE(Says(verdict.shown, "Nothing in this bundle has been changed since XA"));
  EXPECT_TRUE(Says(verdict.shown, "\"Ledger of Lime Street\" was registered by XA"));
  EXPECT_TRUE(Says(verdict.shown, "is the file registered as \"ledger.csv\""));
  EXPECT_TRUE(Says(verdict.shown, "of the agreement \"LANTERN\" was signed by"));
  EXPECT_TRUE(Says(verdict.shown, "another body has confirmed it: EJ, XA, XB, XC"))
      << testing::PrintToString(verdict.shown);
}

TEST_F(VerifyTest, WithoutTheWordsOfTheBodiesItIsSaidThatNobodyHasComparedThem) {
  const MemoryTree tree = Ledger();
  const Verdict verdict = Verify(tree, {});
  EXPECT_TRUE(verdict.intact);
  EXPECT_FALSE(verdict.bodies_confirmed);
  EXPECT_TRUE(Says(verdict.not_shown, "Who XA"));
  std::set<std::string> some = Words();
  some.erase(some.begin());
  EXPECT_FALSE(Verify(tree, {some}).bodies_confirmed);
  // As people type them.
  std::set<std::string> typed;
  for (std::string words : Words()) {
    for (char& c : words) c = c == '-' ? ' ' : static_cast<char>(std::toupper(c));
    typed.insert(words);
  }
  EXPECT_TRUE(Verify(tree, {typed}).bodies_confirmed);
}

TEST_F(VerifyTest, AHandOverThatNobodyAnsweredIsLeftOpen) {
  const auto ref = AddLedger({"XB"});
  ASSERT_OK(ref);
  Settle();
  v1::ReleaseEvidenceRequest release;
  release.add_records(*ref);
  release.add_to("XC");
  ASSERT_OK(Call<v1::ReleaseEvidenceResponse>("XA", "EvidenceService/ReleaseEvidence", release));
  const auto made = Make("XA", {*ref});  // before XC can answer
  ASSERT_OK(made);
  const Verdict verdict = Verify(TreeOf(*made), {Words()});
  ASSERT_TRUE(verdict.intact) << testing::PrintToString(verdict.refusals);
  EXPECT_TRUE(Says(verdict.not_shown, "that XC received what was handed over"));
}

TEST_F(VerifyTest, EveryByteOfEveryFileCounts) {
  MemoryTree tree = Ledger();
  const std::set<std::string> there = *tree.List();
  const auto expected = ExpectedBundle::From(tree.files.at(std::string(kProofPath)),
                                             tree.files.at(std::string(kSignaturePath)));
  ASSERT_OK(expected);
  ASSERT_TRUE(expected->Compare(tree, there).refusals.empty());
  size_t tried = 0;
  for (auto& [path, content] : tree.files) {
    const bool signed_bytes = path == kProofPath || path == kSignaturePath;
    for (size_t i = 0; i < content.size(); ++i) {
      const char right = content[i];
      content[i] = static_cast<char>(right ^ (1 << (i % 8)));
      // What is signed is verified from the start; the rest is compared with what follows from it.
      ASSERT_FALSE(signed_bytes ? Verify(tree, {}).intact
                                : expected->Compare(tree, there).refusals.empty())
          << path << ", byte " << i;
      content[i] = right;
      ++tried;
    }
    if (content.empty()) continue;
    content[0] = static_cast<char>(content[0] ^ 1);
    EXPECT_FALSE(Verify(tree, {}).intact) << path;
    content[0] = static_cast<char>(content[0] ^ 1);
  }
  EXPECT_GT(tried, 10'000u);
  EXPECT_TRUE(Verify(tree, {}).intact);
}

TEST_F(VerifyTest, AMissingAnEmptyALongerAndAnExtraFileAreNamed) {
  const MemoryTree whole = Ledger();
  for (const auto& [path, content] : whole.files) {
    MemoryTree tree = whole;
    tree.files.erase(path);
    Verdict verdict = Verify(tree, {});
    EXPECT_FALSE(verdict.intact) << path;
    EXPECT_TRUE(Says(verdict.refusals, path)) << path;
    tree = whole;
    tree.files[path].clear();
    EXPECT_FALSE(Verify(tree, {}).intact) << path;
    tree = whole;
    tree.files[path] += "\n";
    EXPECT_FALSE(Verify(tree, {}).intact) << path;
  }
  MemoryTree tree = whole;
  tree.files["data/files/extra.txt"] = "planted";
  EXPECT_TRUE(Says(Verify(tree, {}).refusals, "\"data/files/extra.txt\" does not belong"));
}

// Whoever changes a file can make the manifests again, but not the entry that names its hash.
TEST_F(VerifyTest, AnotherFileWithManifestsToMatchIsNotTheOneThatWasRegistered) {
  MemoryTree tree = Ledger();
  for (auto& [path, content] : tree.files) {
    if (path.starts_with("data/files/")) content = "date,amount\n2026-03-03,9000\n";
  }
  std::map<std::string, Digests> digests;
  for (const auto& [path, content] : tree.files) {
    if (path.find("manifest-") == std::string::npos) digests[path] = DigestsOf(content);
  }
  for (auto& [name, text] : Manifests(digests)) tree.files[name] = text;
  const Verdict verdict = Verify(tree, {});
  EXPECT_FALSE(verdict.intact);
  EXPECT_TRUE(Says(verdict.refusals, "is not the file that was registered as \"ledger.csv\""));
}

TEST_F(VerifyTest, WhatIsNoBundleIsSaidToBeNone) {
  MemoryTree tree;
  EXPECT_TRUE(Says(Verify(tree, {}).refusals, "this is no bundle"));
  tree.files["letter.txt"] = "hello";
  EXPECT_TRUE(Says(Verify(tree, {}).refusals, "this is no bundle"));
}

}  // namespace
}  // namespace entente::bundle
