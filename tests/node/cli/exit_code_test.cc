// Exit codes and error texts are an interface: scripts rely on them.
#include "node/cli/exit_code.h"

#include <string>

#include "gtest/gtest.h"

namespace entente::cli {
namespace {

TEST(ExitCodeTest, EachKindOfErrorHasItsNumber) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), kDone);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("x")), kFailed);
  EXPECT_EQ(ExitCodeOf(absl::InvalidArgumentError("x")), kUsage);
  EXPECT_EQ(ExitCodeOf(absl::PermissionDeniedError("x")), kRefused);
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError("x")), kRefused);
  EXPECT_EQ(ExitCodeOf(absl::NotFoundError("x")), kNotFound);
  EXPECT_EQ(ExitCodeOf(absl::AlreadyExistsError("x")), kConflict);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("x")), kUnreachable);
  EXPECT_EQ(ExitCodeOf(absl::DataLossError("x")), kIntegrity);
}

TEST(ExitCodeTest, AnErrorIsTakenApartIntoWhatWhyAndNext) {
  const ErrorParts parts =
      TakeApart(absl::PermissionDeniedError("refused: no agreement is in force [NOT_IN_FORCE]\n  "
                                            "Art. 13\n  Next: entente agreement show"));
  EXPECT_EQ(parts.code, "NOT_IN_FORCE");
  EXPECT_EQ(parts.reason, "refused");
  EXPECT_EQ(parts.why, "Art. 13");
  EXPECT_EQ(parts.next, "entente agreement show");
  const ErrorParts bare = TakeApart(absl::InternalError("broken"));
  EXPECT_EQ(bare.what, "broken");
  EXPECT_FALSE(bare.reason.empty());
}

TEST(ExitCodeTest, HostileTextInAnErrorCannotMoveTheCursor) {
  const absl::Status status = absl::NotFoundError("no record \"\x1b[2J\" here [NOT_HERE]");
  EXPECT_EQ(ErrorForPeople(status).find('\x1b'), std::string::npos);
  EXPECT_EQ(ErrorAsJson(status).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace entente::cli
