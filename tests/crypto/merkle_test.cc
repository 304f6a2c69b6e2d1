// RFC 6962 trees, held against a second implementation: the recursive definition of the RFC.
#include "crypto/merkle.h"

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

constexpr uint64_t kSizeMax = 70;

std::vector<Hash> Leaves(uint64_t n) {
  std::vector<Hash> out;
  for (uint64_t i = 0; i < n; ++i) {
    out.push_back(Sha256({std::string_view("\0", 1), std::to_string(i)}));
  }
  return out;
}

// MTH of RFC 6962 §2.1, as written there.
Hash ReferenceRoot(const std::vector<Hash>& leaves, uint64_t from, uint64_t to) {
  if (from == to) return Sha256("");
  if (to - from == 1) return leaves[from];
  uint64_t k = 1;
  while (k * 2 < to - from) k *= 2;
  return NodeHash(ReferenceRoot(leaves, from, from + k), ReferenceRoot(leaves, from + k, to));
}

class MerkleTest : public testing::Test {
 protected:
  const std::vector<Hash> leaves_ = Leaves(kSizeMax);
  Hash Root(uint64_t size) const { return ReferenceRoot(leaves_, 0, size); }
  VectorMerkleSource Tree(uint64_t size) const {
    return VectorMerkleSource({leaves_.begin(), leaves_.begin() + static_cast<int64_t>(size)});
  }
};

// The known answers of the certificate-transparency project for its eight test leaves.
TEST_F(MerkleTest, RootsAreThoseOfCertificateTransparency) {
  CompactRange range = CompactRange::Empty(0);
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    range.Append(Sha256({std::string_view("\0", 1), *Unhex(hex)}));
  }
  EXPECT_EQ(range.Root()->hex(),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  EXPECT_EQ(EmptyRoot().hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(MerkleTest, EveryRangeOfEverySizeExtendsToTheReferenceRoot) {
  for (uint64_t size = 0; size <= kSizeMax; ++size) {
    const VectorMerkleSource tree = Tree(size);
    for (uint64_t cut = 0; cut <= size; ++cut) {
      absl::StatusOr<CompactRange> head = RangeFrom(tree, 0, cut);
      const absl::StatusOr<CompactRange> tail = RangeFrom(tree, cut, size);
      ASSERT_OK(head);
      ASSERT_OK(tail);
      ASSERT_EQ(tail->hashes().size(), CompactRangeHashCount(cut, size));
      ASSERT_OK(head->AppendRange(*tail));
      ASSERT_EQ(*head->Root(), Root(size)) << cut << " of " << size;
    }
  }
}

TEST_F(MerkleTest, EveryLeafOfEverySizeIsProvedAndNoOtherLeafIs) {
  for (uint64_t size = 1; size <= kSizeMax; ++size) {
    const VectorMerkleSource tree = Tree(size);
    for (uint64_t i = 0; i < size; ++i) {
      const auto proof = InclusionProof(tree, i, size);
      ASSERT_OK(proof);
      ASSERT_OK(VerifyInclusion(leaves_[i], i, size, *proof, Root(size)));
      EXPECT_FALSE(VerifyInclusion(leaves_[(i + 1) % kSizeMax], i, size, *proof, Root(size)).ok());
      EXPECT_FALSE(VerifyInclusion(leaves_[i], i + 1, size, *proof, Root(size)).ok());
      auto longer = *proof;
      longer.emplace_back();
      EXPECT_FALSE(VerifyInclusion(leaves_[i], i, size, longer, Root(size)).ok());
    }
  }
}

TEST_F(MerkleTest, EveryPairOfSizesIsConsistentAndAForkIsNot) {
  for (uint64_t to = 1; to <= kSizeMax; ++to) {
    const VectorMerkleSource tree = Tree(to);
    for (uint64_t from = 1; from <= to; ++from) {
      const auto proof = ConsistencyProof(tree, from, to);
      ASSERT_OK(proof);
      ASSERT_OK(VerifyConsistency(from, to, Root(from), Root(to), *proof));
      EXPECT_FALSE(VerifyConsistency(from, to, Sha256("fork"), Root(to), *proof).ok());
      EXPECT_FALSE(VerifyConsistency(from, to, Root(from), Sha256("fork"), *proof).ok());
    }
  }
}

TEST_F(MerkleTest, ARangeWithTooFewOrTooManyHashesIsRefused) {
  EXPECT_REFUSED(CompactRange::From(0, 3, {leaves_[0]}), kInvalidArgument, "");
  EXPECT_REFUSED(CompactRange::From(3, 2, {}), kInvalidArgument, "");
  EXPECT_REFUSED(CompactRange::Empty(4).Root(), kFailedPrecondition, "");
  CompactRange range = CompactRange::Empty(0);
  EXPECT_FALSE(range.AppendRange(CompactRange::Empty(1)).ok());
}

TEST_F(MerkleTest, SizesNearTheEndOfTheNumbersDoNotOverflow) {
  const uint64_t huge = ~uint64_t{0};
  EXPECT_FALSE(VerifyInclusion(leaves_[0], huge - 1, huge, {}, leaves_[0]).ok());
  EXPECT_FALSE(VerifyConsistency(huge - 1, huge, leaves_[0], leaves_[1], {}).ok());
  EXPECT_FALSE(CompactRange::From(huge - 5, huge, {}).ok());
}

}  // namespace
}  // namespace entente::crypto
