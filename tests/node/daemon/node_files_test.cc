// node.conf: what it says is what is done, and a line that is wrong is named.
#include "node/daemon/node_files.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::daemon {
namespace {

const std::string kHead = "entente-node-1\nlisten: 127.0.0.1:7443\nrelay-pace: 300\n";

TEST(NodeFilesTest, SettingsForFilesMayBeAbsent) {
  const auto config = ParseNodeConfig(kHead);
  ASSERT_OK(config);
  EXPECT_EQ(config->files_below_mib, std::nullopt);
  EXPECT_EQ(config->files_in_mib, 0u);
  EXPECT_EQ(config->files_out_mib, 0u);
  EXPECT_EQ(EncodeNodeConfig(*config), kHead);
}

TEST(NodeFilesTest, SettingsForFilesAreReadAndWrittenAgain) {
  const std::string text =
      kHead + "files-below: 1024\nfiles-in: 20\nfiles-out: 5\nbackups-kept: 90\n";
  const auto config = ParseNodeConfig(text);
  ASSERT_OK(config);
  EXPECT_EQ(config->files_below_mib, 1024u);
  EXPECT_EQ(config->files_in_mib, 20u);
  EXPECT_EQ(config->files_out_mib, 5u);
  EXPECT_EQ(config->backup_days, 90u);
  EXPECT_EQ(EncodeNodeConfig(*config), text);
}

// Zero is an answer to "how large", and none to "how fast".
TEST(NodeFilesTest, NothingByItselfIsASettingAndNoSpeedIsNot) {
  const auto config = ParseNodeConfig(kHead + "files-below: 0\n");
  ASSERT_OK(config);
  EXPECT_EQ(config->files_below_mib, 0u);
  EXPECT_EQ(EncodeNodeConfig(*config), kHead + "files-below: 0\n");
  EXPECT_REFUSED(ParseNodeConfig(kHead + "files-in: 0\n").status(), kInvalidArgument, "BAD_CONFIG");
}

TEST(NodeFilesTest, ALineThatIsWrongIsNamedWithWhatMayStandThere) {
  for (const char* bad : {"files-below: many", "files-below: -1", "files-below: 4294967297",
                          "files-below:", "files-in: 1.5", "files-in: 20 MiB", "files-out: 0",
                          "files-out: 18446744073709551616", "files-up: 5", "backups-kept: -1",
                          "backups-kept: 40000", "relay-pace: never"}) {
    const absl::Status status = ParseNodeConfig(kHead + bad + "\n").status();
    EXPECT_REFUSED(status, kInvalidArgument, "BAD_CONFIG") << bad;
    const std::string message(status.message());
    EXPECT_NE(message.find("line 4 "), std::string::npos) << message;
    EXPECT_NE(message.find(bad), std::string::npos) << message;
    EXPECT_NE(message.find("Next: "), std::string::npos) << message;
    EXPECT_NE(message.find("files-below:"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace entente::daemon
