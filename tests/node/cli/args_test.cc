// The command line: flags anywhere, and a wrong word is quoted back with the help that explains it.
#include "node/cli/args.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::cli {
namespace {

using Words = std::vector<std::string>;

class ArgsTest : public testing::Test {
 protected:
  absl::StatusOr<Args> Parse(const Words& words) { return ParseArgs(verb_, words); }

  const Verb verb_ = [] {
    Verb verb;
    verb.noun = "evidence";
    verb.verb = "add";
    verb.args = "FILE…";
    verb.flags = {{"audience", "CODES", "who may read", true},
                  {"title", "TEXT", "", false},
                  {"quiet", "", "", false}};
    verb.args_min = 1;
    verb.args_max = 2;
    return verb;
  }();
};

TEST_F(ArgsTest, FlagsStandAnywhereInBothSpellings) {
  const auto args =
      Parse({"a.pdf", "--audience", "XA,XB", "--title=The ledger", "--quiet", "--audience=XC"});
  ASSERT_OK(args);
  EXPECT_EQ(args->List("audience"), (Words{"XA", "XB", "XC"}));
  EXPECT_EQ(args->Get("title"), "The ledger");
  EXPECT_TRUE(args->Has("quiet"));
  EXPECT_EQ(args->rest(), Words{"a.pdf"});
}

TEST_F(ArgsTest, TwoDashesEndTheFlags) {
  EXPECT_EQ(Parse({"--", "--title"})->rest(), Words{"--title"});
}

TEST_F(ArgsTest, WrongWordsAreQuoted) {
  EXPECT_REFUSED(Parse({"a", "--colour", "red"}), kInvalidArgument, "--colour");
  EXPECT_REFUSED(Parse({"a", "--title"}), kInvalidArgument, "--title");
  EXPECT_REFUSED(Parse({"a", "--quiet=yes"}), kInvalidArgument, "--quiet");
  EXPECT_REFUSED(Parse({"a", "--title", "1", "--title", "2"}), kInvalidArgument, "--title");
  EXPECT_REFUSED(Parse({}), kInvalidArgument, "USAGE");
  EXPECT_REFUSED(Parse({"a", "b", "c"}), kInvalidArgument, "c");
}

TEST_F(ArgsTest, AVerbIsFoundPastGlobalFlags) {
  const std::vector<Verb> verbs = {verb_};
  Words words = {"--json", "evidence", "--node", "XA", "add", "a.pdf"};
  EXPECT_EQ(TakeVerb(verbs, words), &verbs[0]);
  EXPECT_EQ(words, (Words{"--json", "--node", "XA", "a.pdf"}));
  Words none = {"evidence", "destroy"};
  EXPECT_EQ(TakeVerb(verbs, none), nullptr);
}

}  // namespace
}  // namespace entente::cli
