// How findings are shown, and how the command ends.
#include "node/cli/doctor.h"

#include <string>

#include "gtest/gtest.h"

namespace entente::cli {
namespace {

v1::DiagnoseResponse With(v1::Severity severity) {
  v1::DiagnoseResponse response;
  v1::Finding* finding = response.add_findings();
  finding->set_code("SILENT");
  finding->set_severity(severity);
  finding->set_what("Nothing has been heard from XB\x1b[2J for 4 days.");
  finding->set_why("12 entries wait for it.");
  finding->set_next("entente sync status");
  return response;
}

TEST(DoctorVerbTest, TheExitCodeIsThatOfTheWorstFinding) {
  EXPECT_EQ(ExitCodeOf(v1::DiagnoseResponse()), kDone);
  EXPECT_EQ(ExitCodeOf(With(v1::SEVERITY_ADVICE)), kDone);
  EXPECT_EQ(ExitCodeOf(With(v1::SEVERITY_PROBLEM)), kFailed);
  v1::DiagnoseResponse both = With(v1::SEVERITY_PROBLEM);
  both.MergeFrom(With(v1::SEVERITY_ALARM));
  EXPECT_EQ(ExitCodeOf(both), kIntegrity);
}

TEST(DoctorVerbTest, AFindingSaysWhatWhyAndNextAndNoTextMovesTheCursor) {
  const std::string text = FindingsText(With(v1::SEVERITY_PROBLEM));
  EXPECT_NE(text.find("problem: Nothing has been heard from XB"), std::string::npos);
  EXPECT_NE(text.find("[SILENT]\n  12 entries wait for it.\n  Next: entente sync status\n"),
            std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(FindingsText(v1::DiagnoseResponse()), "the node is well\n");
}

}  // namespace
}  // namespace entente::cli
