// Which node a command talks to: what was said, else the environment, else the only one there is.
#include "node/cli/profile.h"

#include <filesystem>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "tests/node/store/store_test_util.h"
#include "tests/support/status_testing.h"

namespace entente::cli {
namespace {

class ProfileTest : public testing::Test {
 protected:
  absl::StatusOr<Target> Resolve(const std::string& node, const std::string& key = "") {
    return ResolveTarget(node, key, [this](const char* name) { return env_[name]; });
  }
  store::TempDir dir_;
  std::map<std::string, std::string> env_ = {{"ENTENTE_PROFILES", dir_.path()},
                                             {"HOME", dir_.path()}};
};

TEST_F(ProfileTest, ASocketIsTakenAsItIs) {
  EXPECT_EQ(Resolve("unix:/run/x.sock", "me.key")->address, "unix:/run/x.sock");
  EXPECT_EQ(Resolve("unix:/run/x.sock", "me.key")->key_file, "me.key");
}

TEST_F(ProfileTest, AProfileIsFoundByNameAndItsPathsAreItsOwn) {
  store::WriteRaw(dir_ / "XA.profile", "# Arvenia\naddress=unix:/run/xa.sock\nkey=ada.key\n");
  const auto target = Resolve("XA");
  ASSERT_OK(target);
  EXPECT_EQ(target->address, "unix:/run/xa.sock");
  EXPECT_EQ(target->key_file, dir_ / "ada.key");
  EXPECT_EQ(Resolve("")->address, "unix:/run/xa.sock");
  EXPECT_EQ(Resolve("XA", "other.key")->key_file, "other.key");
}

TEST_F(ProfileTest, TheEnvironmentSpeaksWhenTheCommandDoesNot) {
  env_["ENTENTE_NODE"] = "unix:/run/env.sock";
  env_["ENTENTE_USER_KEY"] = "/keys/ada.key";
  EXPECT_EQ(Resolve("")->address, "unix:/run/env.sock");
  EXPECT_EQ(Resolve("")->key_file, "/keys/ada.key");
  EXPECT_EQ(Resolve("unix:/said")->address, "unix:/said");
}

TEST_F(ProfileTest, WhatDoesNotExistOrReadIsNamed) {
  EXPECT_REFUSED(Resolve("XQ"), kNotFound, "NO_PROFILE");
  EXPECT_REFUSED(Resolve(""), kNotFound, "NO_PROFILE");
  store::WriteRaw(dir_ / "bad.profile", "colour=red\n");
  EXPECT_REFUSED(Resolve("bad"), kInvalidArgument, "BAD_PROFILE");
  std::filesystem::create_directory(dir_ / "data");
  EXPECT_REFUSED(Resolve(dir_ / "data"), kUnavailable, "UNREACHABLE");
  store::WriteRaw(dir_ / "data/api.address", "unix:/run/data.sock\n");
  EXPECT_EQ(Resolve(dir_ / "data")->address, "unix:/run/data.sock");
}

}  // namespace
}  // namespace entente::cli
