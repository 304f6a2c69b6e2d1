// The table of verbs: every one is explained, callable, and unlike every other.
#include "node/cli/verbs.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace entente::cli {
namespace {

TEST(VerbsTest, EveryVerbIsExplainedAndRuns) {
  std::set<std::string> names;
  for (const Verb& verb : AllVerbs()) {
    EXPECT_TRUE(names.insert(verb.name()).second) << verb.name();
    EXPECT_FALSE(verb.summary.empty()) << verb.name();
    EXPECT_FALSE(verb.example.empty()) << verb.name();
    EXPECT_NE(verb.run, nullptr) << verb.name();
    EXPECT_LE(verb.args_min, verb.args_max) << verb.name();
    std::set<std::string> flags;
    for (const Flag& flag : verb.flags) {
      EXPECT_TRUE(flags.insert(flag.name).second) << verb.name() << " --" << flag.name;
      EXPECT_FALSE(flag.help.empty()) << verb.name() << " --" << flag.name;
    }
    if (verb.passes_on) continue;  // its flags are the daemon's own
    for (const Flag& flag : GlobalFlags()) {
      EXPECT_FALSE(flags.contains(flag.name)) << verb.name() << " hides --" << flag.name;
    }
  }
}

TEST(VerbsTest, WhatTheHandbookPromisesIsThere) {
  std::set<std::string> names;
  for (const Verb& verb : AllVerbs()) names.insert(verb.name());
  for (const char* name : {"card show",
                           "card trust",
                           "status",
                           "agreement propose",
                           "agreement sign",
                           "agreement reject",
                           "agreement show",
                           "strategy draft",
                           "strategy propose",
                           "strategy sign",
                           "strategy show",
                           "line add",
                           "evidence add",
                           "evidence list",
                           "evidence show",
                           "evidence get",
                           "evidence release",
                           "evidence files",
                           "evidence fetch",
                           "evidence pause",
                           "evidence verify",
                           "evidence import",
                           "evidence record",
                           "evidence correct",
                           "evidence note-corrections",
                           "evidence restrict",
                           "bundle stamp",
                           "bundle export",
                           "task assign",
                           "task accept",
                           "task decline",
                           "task update",
                           "task done",
                           "task list",
                           "progress",
                           "explain",
                           "sync status",
                           "log verify"}) {
    bool found = false;
    for (const std::string& known : names) {
      found = found || known == name || known == std::string("node ") + name;
    }
    EXPECT_TRUE(found) << name;
  }
}

}  // namespace
}  // namespace entente::cli
