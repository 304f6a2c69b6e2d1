// Labelled hashes separate meanings: a label, a boundary between parts and a key all count.
#include "crypto/hash.h"

#include <iterator>
#include <set>
#include <string>

#include "crypto/ids.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

Secret32 KeyOf(char fill) { return *Secret32::From(std::string(32, fill)); }

TEST(HashTest, PartsCannotBeShiftedIntoEachOther) {
  const std::set<Hash> distinct = {H("a", {"bc", "d"}), H("a", {"b", "cd"}), H("a", {"bcd"}),
                                   H("a", {"", "bcd"}), H("ab", {"c", "d"}), H("a", {"bcd", ""})};
  EXPECT_EQ(distinct.size(), 6u);
}

TEST(HashTest, KeyedDrawsDependOnKeyLabelAndParts) {
  const std::set<std::string> distinct = {
      std::string(K(KeyOf('a'), "x", {"1"}).view()), std::string(K(KeyOf('b'), "x", {"1"}).view()),
      std::string(K(KeyOf('a'), "y", {"1"}).view()), std::string(K(KeyOf('a'), "x", {"2"}).view())};
  EXPECT_EQ(distinct.size(), 4u);
  const KeyAndCommit both = K64(KeyOf('a'), "x", {"1"});
  EXPECT_NE(both.key.view(), both.commit.view());
}

// Every label in use, in every form, over the same bytes: no value of one meaning is one of
// another.
TEST(HashTest, NoLabelGivesWhatAnotherGives) {
  constexpr std::string_view kLabels[] = {
      "anchor-file", "api-socket",   "audience",   "blind",   "blob-map", "blob-tree", "body",
      "card",        "digest",       "epoch",      "exclude", "file",     "jit",       "log",
      "mailbox",     "parcel",       "request-id", "session", "slot",     "slot-psk",  "store-file",
      "store-files", "store-marker", "store-row",  "tree",    "anchor"};
  std::set<std::string> distinct;
  for (const std::string_view label : kLabels) {
    distinct.insert(H(label, {"part"}).str());
    distinct.insert(std::string(K(KeyOf('a'), label, {"part"}).view()));
    const KeyAndCommit both = K64(KeyOf('a'), label, {"part"});
    distinct.insert(std::string(both.key.view()));
    distinct.insert(both.commit.str());
  }
  EXPECT_EQ(distinct.size(), 4 * std::size(kLabels));
}

TEST(HashTest, StreamGivesWhatOneCallGives) {
  Sha256Stream stream;
  stream.Update("ab");
  stream.Update("");
  stream.Update("c");
  EXPECT_EQ(stream.Finish(), Sha256("abc"));
  EXPECT_EQ(Sha256({"a", "bc"}), Sha256("abc"));
}

TEST(IdsTest, AnAudienceIdNeedsSortedUniqueMembersAndAFullSalt) {
  const JitId jit;
  const PartyId a = *PartyId::From(std::string(32, 'a'));
  const PartyId b = *PartyId::From(std::string(32, 'b'));
  const std::string salt(16, 's');
  ASSERT_OK(ComputeAudienceId(jit, salt, {a, b}));
  EXPECT_REFUSED(ComputeAudienceId(jit, salt, {b, a}), kInvalidArgument, "");
  EXPECT_REFUSED(ComputeAudienceId(jit, salt, {a, a}), kInvalidArgument, "");
  EXPECT_REFUSED(ComputeAudienceId(jit, "short", {a, b}), kInvalidArgument, "");
}

TEST(IdsTest, WithoutTheSaltNobodyCanGuessAnAudience) {
  const PartyId a = *PartyId::From(std::string(32, 'a'));
  const AudienceId one = *ComputeAudienceId(JitId(), std::string(16, 's'), {a});
  const AudienceId two = *ComputeAudienceId(JitId(), std::string(16, 't'), {a});
  EXPECT_NE(one, two);
  EXPECT_NE(ComputeLogId(JitId(), PublicKey(), one, 1), ComputeLogId(JitId(), PublicKey(), one, 2));
}

}  // namespace
}  // namespace entente::crypto
