// How entente-verify is asked, and how it answers what is no bundle. Real bundles:
// tests/e2e/bundle_test.py.
#include "node/verify/run.h"

#include "gtest/gtest.h"

namespace entente::verify {
namespace {

constexpr char kWords[] = "babab-babad-babaf-babag-babah-babaj-babak-babal";

TEST(RunTest, HelpSaysHowAndWhatTheExitCodesMean) {
  const Output output = RunProgram({"--help"});
  EXPECT_EQ(output.exit_code, kHolds);
  for (const char* part : {"usage:", "--words", "--json", "0: holds", "1: refused"}) {
    EXPECT_NE(output.out.find(part), std::string::npos) << part;
  }
}

TEST(RunTest, WhatIsAskedWronglyIsNamed) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "say which folder"},
      {{"a", "b"}, "one folder"},
      {{"--colour", "a"}, "--colour"},
      {{"a", "--words"}, "eight words"},
      {{"a", "--words", "babab babad"}, "eight words"},
      {{"/nowhere at all", "--words", kWords}, "/nowhere at all"},
  };
  for (const auto& [args, said] : cases) {
    const Output output = RunProgram(args);
    EXPECT_EQ(output.exit_code, kUsage) << said;
    EXPECT_NE(output.err.find(said), std::string::npos) << output.err;
    EXPECT_NE(output.err.find("Next:"), std::string::npos);
    EXPECT_EQ(output.out, "");
  }
}

TEST(RunTest, AFolderThatIsNoBundleIsRefused) {
  const Output output = RunProgram({"/proc/self/fdinfo"});
  EXPECT_EQ(output.exit_code, kRefused);
  EXPECT_NE(output.out.find("this is no bundle"), std::string::npos) << output.out;
  const Output json = RunProgram({"/proc/self/fdinfo", "--json"});
  EXPECT_NE(json.out.find("\"intact\": false"), std::string::npos) << json.out;
}

}  // namespace
}  // namespace entente::verify
