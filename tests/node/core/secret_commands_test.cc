// A secret is made for one body, taken by that body alone, and shown to nobody.
#include <string>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class SecretCommandsTest : public CoreTest {
 protected:
  absl::StatusOr<v1::MakeSharedSecretResponse> Make(const std::string& at, const std::string& with,
                                                    bool replace = false) {
    v1::MakeSharedSecretRequest request;
    request.set_body(with);
    request.set_replace(replace);
    return Call<v1::MakeSharedSecretResponse>(at, "NodeService/MakeSharedSecret", request);
  }
  absl::Status Take(const std::string& at, const std::string& from, const std::string& file,
                    bool replace = false) {
    v1::TakeSharedSecretRequest request;
    request.set_body(from);
    request.set_file(file);
    request.set_replace(replace);
    return Call<v1::TakeSharedSecretResponse>(at, "NodeService/TakeSharedSecret", request).status();
  }
  std::string Standing(const std::string& at, const std::string& with) {
    v1::ShowCardRequest request;
    request.set_code(with);
    return Call<v1::ShowCardResponse>(at, "NodeService/ShowCard", request)->card().shared_secret();
  }
};

TEST_F(SecretCommandsTest, ItComesIntoUseOnceBothHaveIt) {
  const auto made = Make("XA", "XB");
  ASSERT_OK(made);
  Settle();
  EXPECT_EQ(Standing("XA", "XB"), "waiting");
  ASSERT_OK(Take("XB", "XA", made->file()));
  EXPECT_OK(Take("XB", "XA", made->file()));  // once more does no harm
  Settle();
  EXPECT_EQ(Standing("XA", "XB"), "in use");
  EXPECT_EQ(Standing("XB", "XA"), "in use");
  EXPECT_EQ(Standing("XA", "XC"), "");
}

TEST_F(SecretCommandsTest, ThroughTheRelayItDoesTheSame) {
  const auto made = Make("XA", "XC");
  ASSERT_OK(made);
  ASSERT_OK(Take("XC", "XA", made->file()));
  world_.RunFor(absl::Hours(2));
  EXPECT_EQ(Standing("XA", "XC"), "in use");
  EXPECT_EQ(Standing("XC", "XA"), "in use");
}

TEST_F(SecretCommandsTest, AFileForAnotherBodyOrAnAlteredOneIsNotTaken) {
  const std::string file = Make("XA", "XB")->file();
  EXPECT_REFUSED(Take("XC", "XA", file), kInvalidArgument, "OTHER_BODIES");
  EXPECT_REFUSED(Take("XB", "XC", file), kInvalidArgument, "OTHER_BODIES");
  EXPECT_REFUSED(Take("XB", "XA", file.substr(0, file.size() - 1)), kInvalidArgument,
                 "NOT_A_SECRET");
  EXPECT_REFUSED(Make("XA", "XA").status(), kInvalidArgument, "another body");
}

TEST_F(SecretCommandsTest, OneThatIsThereIsReplacedOnlyOnPurpose) {
  const std::string first = Make("XA", "XB")->file();
  ASSERT_OK(Take("XB", "XA", first));
  Settle();
  EXPECT_REFUSED(Make("XA", "XB").status(), kAlreadyExists, "SECRET_EXISTS");
  const std::string second = Make("XA", "XB", /*replace=*/true)->file();
  Settle();
  EXPECT_EQ(Standing("XA", "XB"), "waiting");
  EXPECT_REFUSED(Take("XB", "XA", second), kAlreadyExists, "SECRET_EXISTS");
  ASSERT_OK(Take("XB", "XA", second, /*replace=*/true));
  Settle();
  EXPECT_EQ(Standing("XA", "XB"), "in use");
}

TEST_F(SecretCommandsTest, ItIsForThoseWhoManageTheNode) {
  node("XA").role = v1::ROLE_MEMBER;
  EXPECT_REFUSED(Make("XA", "XB").status(), kPermissionDenied, "[ROLE]");
}

}  // namespace
}  // namespace entente::core
