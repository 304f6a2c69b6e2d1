// A bundle's folder is read as it is: through no link, and without waiting for anything.
#include "node/verify/disk_tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::verify {
namespace {

namespace fs = std::filesystem;

class DiskTreeTest : public testing::Test {
 protected:
  DiskTreeTest() {
    std::string pattern = testing::TempDir() + "tree-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ + "/data/empty");
    std::ofstream(root_ + "/data/a.txt") << "abc";
  }
  ~DiskTreeTest() override { fs::remove_all(root_); }

  DiskTree Tree() { return *DiskTree::Open(root_); }
  std::string root_;
};

TEST_F(DiskTreeTest, EverythingThatIsThereIsListed) {
  fs::create_symlink("/etc/passwd", root_ + "/data/link");
  ASSERT_EQ(::mkfifo((root_ + "/pipe").c_str(), 0600), 0);
  const auto listed = Tree().List();
  ASSERT_OK(listed);
  EXPECT_EQ(*listed, (std::set<std::string>{"data/a.txt", "data/empty/", "data/link", "pipe"}));
}

TEST_F(DiskTreeTest, FilesAreReadAndHashedAsTheyAre) {
  const DiskTree tree = Tree();
  EXPECT_EQ(*tree.Read("data/a.txt", 3), "abc");
  EXPECT_REFUSED(tree.Read("data/a.txt", 2), kResourceExhausted, "data/a.txt");
  const auto digests = tree.Digest("data/a.txt");
  ASSERT_OK(digests);
  EXPECT_EQ(digests->size, 3u);
  EXPECT_EQ(digests->sha256, bundle::DigestsOf("abc").sha256);
  EXPECT_REFUSED(tree.Digest("data/b.txt"), kUnavailable, "data/b.txt");
}

TEST_F(DiskTreeTest, LinksPipesAndFoldersAreNoFiles) {
  fs::create_symlink(root_ + "/data/a.txt", root_ + "/link");
  ASSERT_EQ(::mkfifo((root_ + "/pipe").c_str(), 0600), 0);
  for (const char* path : {"link", "pipe", "data"}) {
    EXPECT_REFUSED(Tree().Read(path, 100), kUnavailable, path);
    EXPECT_REFUSED(Tree().Digest(path), kUnavailable, path);
  }
}

TEST_F(DiskTreeTest, OnlyAFolderIsATree) {
  EXPECT_REFUSED(DiskTree::Open(root_ + "/nowhere"), kNotFound, "nowhere");
  EXPECT_REFUSED(DiskTree::Open(root_ + "/data/a.txt"), kInvalidArgument, "not a folder");
}

}  // namespace
}  // namespace entente::verify
