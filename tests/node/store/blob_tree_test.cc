#include "node/store/blob_tree.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "tests/node/store/store_test_util.h"

namespace entente::store {
namespace {

std::vector<Hash> Leaves(uint64_t count) {
  std::vector<Hash> leaves;
  for (uint64_t i = 0; i < count; ++i) leaves.push_back(crypto::Sha256(std::to_string(i)));
  return leaves;
}

BlobId Build(const std::string& path, const std::vector<Hash>& leaves) {
  auto writer = TreeWriter::Create(path);
  EXPECT_OK(writer);
  for (const Hash& leaf : leaves) EXPECT_OK((*writer)->Append(leaf));
  const auto root = (*writer)->Finish(1040, 77);
  EXPECT_OK(root);
  return *root;
}

TEST(BlobTreeTest, ProofsAreThoseOfTheTreeInMemory) {
  const TempDir dir;
  for (const uint64_t count : {1u, 2u, 3u, 7u, 8u, 9u, 33u, 2048u, 2049u, 5000u}) {
    const std::vector<Hash> leaves = Leaves(count);
    const BlobId root = Build(dir / "tree", leaves);
    const crypto::VectorMerkleSource memory(leaves);
    ASSERT_EQ(root.view(), crypto::RangeFrom(memory, 0, count)->Root()->view()) << count;
    const auto tree = TreeReader::Open(dir / "tree", root);
    ASSERT_OK(tree);
    EXPECT_EQ(tree->shape(), (BlobShape{count, 1040, 77}));
    for (uint64_t index = 0; index < count; index += 1 + count / 50) {
      const auto proof = crypto::InclusionProof(tree->nodes(), index, count);
      ASSERT_OK(proof);
      ASSERT_EQ(*proof, *crypto::InclusionProof(memory, index, count));
      ASSERT_OK(
          crypto::VerifyInclusion(leaves[index], index, count, *proof, *Hash::From(root.view())));
    }
    EXPECT_FALSE(tree->nodes().Node(0, count).ok());
    EXPECT_FALSE(tree->nodes().Node(63, 0).ok());
    EXPECT_FALSE(tree->nodes().Node(64, 0).ok());
  }
}

TEST(BlobTreeTest, ShapeKnowsWhereChunksLie) {
  const BlobShape large{uint64_t{1} << 32, 1048592, 100};
  EXPECT_EQ(large.Offset(5'000'000'000 / 1048592), 5'000'000'000 / 1048592 * 1048592);
  EXPECT_EQ(large.TotalBytes(), ((uint64_t{1} << 32) - 1) * 1048592 + 100);
  EXPECT_EQ(large.Bytes(0), 1048592u);
  EXPECT_EQ(large.Bytes(large.count - 1), 100u);
  EXPECT_EQ((BlobShape{1, 1040, 16}).TotalBytes(), 16u);
}

TEST(BlobTreeTest, EveryCutAndEveryFlippedHeaderByteIsDamage) {
  const TempDir dir;
  const std::string path = dir / "tree";
  const BlobId root = Build(path, Leaves(5));
  const std::string whole = ReadRaw(path);
  for (size_t size = 0; size < whole.size(); ++size) {
    WriteRaw(path, whole.substr(0, size));
    ASSERT_TRUE(absl::IsDataLoss(TreeReader::Open(path, root).status())) << size;
  }
  for (size_t at = 0; at < 80; ++at) {
    WriteRaw(path, whole);
    FlipBit(path, at);
    ASSERT_TRUE(absl::IsDataLoss(TreeReader::Open(path, root).status())) << at;
  }
  WriteRaw(path, whole);
  EXPECT_OK(TreeReader::Open(path, root));
  EXPECT_TRUE(absl::IsDataLoss(TreeReader::Open(path, BlobId()).status())) << "another blob's";
  EXPECT_TRUE(absl::IsNotFound(TreeReader::Open(dir / "none", root).status()));
}

TEST(BlobTreeTest, UnfinishedTreeLeavesNothing) {
  const TempDir dir;
  {
    auto writer = TreeWriter::Create(dir / "tree");
    ASSERT_OK(writer);
    ASSERT_OK((*writer)->Append(Hash()));
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "tree"));
  auto empty = TreeWriter::Create(dir / "tree");
  ASSERT_OK(empty);
  EXPECT_FALSE((*empty)->Finish(1, 1).ok());
}

}  // namespace
}  // namespace entente::store
