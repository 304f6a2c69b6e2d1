// The outer form of a bundle follows RFC 8493, and its names suit every file system.
#include "node/bundle/bag.h"

#include "gtest/gtest.h"

namespace entente::bundle {
namespace {

TEST(BagTest, PayloadAndTagFilesAreListedApartAndInOrder) {
  const std::map<std::string, std::string> manifests = Manifests({
      {"bagit.txt", DigestsOf(kBagDeclaration)},
      {"data/report.html", DigestsOf("report")},
      {"data/files/E-1/1-a.txt", DigestsOf("abc")},
  });
  ASSERT_EQ(manifests.size(), 4u);
  EXPECT_EQ(manifests.at("manifest-sha256.txt"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  "
            "data/files/E-1/1-a.txt\n" +
                DigestsOf("report").sha256.hex() + "  data/report.html\n");
  // FIPS 180-2, appendix C.1.
  EXPECT_EQ(manifests.at("manifest-sha512.txt").substr(0, 128),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(
      manifests.at("tagmanifest-sha256.txt"),
      DigestsOf(kBagDeclaration).sha256.hex() + "  bagit.txt\n" +
          DigestsOf(manifests.at("manifest-sha256.txt")).sha256.hex() + "  manifest-sha256.txt\n" +
          DigestsOf(manifests.at("manifest-sha512.txt")).sha256.hex() + "  manifest-sha512.txt\n");
}

TEST(BagTest, AFileTakenInPiecesHasTheDigestsOfTheWhole) {
  DigestWriter writer;
  writer.Update("a");
  writer.Update("");
  writer.Update("bc");
  const Digests pieces = writer.Finish();
  const Digests whole = DigestsOf("abc");
  EXPECT_EQ(pieces.size, 3u);
  EXPECT_EQ(pieces.sha256, whole.sha256);
  EXPECT_EQ(pieces.sha512, whole.sha512);
}

TEST(BagTest, NamesOfFilesAreOnesThatEveryFileSystemTakes) {
  EXPECT_EQ(EnclosedName(1, "ledger 2026.csv"), "1-ledger_2026.csv");
  EXPECT_EQ(EnclosedName(2, "../../etc/passwd"), "2-.._.._etc_passwd");
  EXPECT_EQ(EnclosedName(3, ""), "3-");
  EXPECT_EQ(EnclosedName(4, "a."), "4-a_");
  EXPECT_EQ(EnclosedName(5, "con\nfig:\x01*?"), "5-con_fig____");
  EXPECT_EQ(EnclosedName(6, std::string(300, 'x') + ".pdf"), "6-" + std::string(96, 'x') + ".pdf");
}

}  // namespace
}  // namespace entente::bundle
