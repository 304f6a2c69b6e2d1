// Cards are trusted by their words, users named by clean names, and the status tells the truth.
#include <string>

#include "crypto/words.h"
#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class NodeCommandsTest : public CoreTest {};

TEST_F(NodeCommandsTest, ACardWhoseWordsDifferIsNotTrusted) {
  v1::TrustCardRequest request;
  request.set_signed_card(node("XB").who.signed_card.SerializeAsString());
  request.set_word_string("babab-babab-babab-babab-babab-babab-babab-babab");
  EXPECT_FALSE(Call<v1::TrustCardResponse>("XA", "NodeService/TrustCard", request).ok());
  request.set_word_string(crypto::WordString(node("XB").who.party));
  const auto again = Call<v1::TrustCardResponse>("XA", "NodeService/TrustCard", request);
  ASSERT_OK(again);
  EXPECT_TRUE(again->already_trusted());
  request.set_signed_card("not a card");
  EXPECT_REFUSED(Call<v1::TrustCardResponse>("XA", "NodeService/TrustCard", request).status(),
                 kInvalidArgument, "not a node card");
}

TEST_F(NodeCommandsTest, UsersHaveCleanUniqueNamesAndARole) {
  SeededEntropy entropy(5);
  v1::AddUserRequest request;
  request.set_user("Ada Lindqvist");
  request.set_role(v1::ROLE_MEMBER);
  request.set_public_key(crypto::SigningKey::Generate(entropy).public_key().str());
  ASSERT_OK(Call<v1::AddUserResponse>("XA", "NodeService/AddUser", request));
  EXPECT_FALSE(Call<v1::AddUserResponse>("XA", "NodeService/AddUser", request).ok());
  request.set_user("Ada\x1b[2J");
  EXPECT_REFUSED(Call<v1::AddUserResponse>("XA", "NodeService/AddUser", request).status(),
                 kInvalidArgument, "");
  request.set_user("Bela");
  request.set_public_key("short");
  EXPECT_FALSE(Call<v1::AddUserResponse>("XA", "NodeService/AddUser", request).ok());
  const auto users =
      Call<v1::ListUsersResponse>("XA", "NodeService/ListUsers", v1::ListUsersRequest());
  ASSERT_OK(users);
  EXPECT_EQ(users->users_size(), 1);
}

TEST_F(NodeCommandsTest, UsersAreThereAfterARestart) {
  SeededEntropy entropy(5);
  v1::AddUserRequest request;
  request.set_user("Ada");
  request.set_role(v1::ROLE_MEMBER);
  request.set_public_key(crypto::SigningKey::Generate(entropy).public_key().str());
  ASSERT_OK(Call<v1::AddUserResponse>("XA", "NodeService/AddUser", request));
  node("XA").Crash(absl::Seconds(10));
  world_.RunFor(absl::Minutes(1));
  const auto users =
      Call<v1::ListUsersResponse>("XA", "NodeService/ListUsers", v1::ListUsersRequest());
  ASSERT_OK(users);
  ASSERT_EQ(users->users_size(), 1);
  EXPECT_EQ(users->users(0).user(), "Ada");
}

TEST_F(NodeCommandsTest, StatusNamesWhoIsReachedAndHow) {
  Settle();
  const auto status =
      Call<v1::GetStatusResponse>("XA", "NodeService/GetStatus", v1::GetStatusRequest());
  ASSERT_OK(status);
  EXPECT_EQ(status->body_code(), "XA");
  ASSERT_EQ(status->peers_size(), 3);
  for (const v1::PeerStatus& peer : status->peers()) {
    EXPECT_EQ(peer.waiting(), 0u) << peer.code();
    EXPECT_EQ(peer.connected(), peer.code() != "XC") << peer.code();
  }
  ASSERT_EQ(status->jits_size(), 1);
  EXPECT_EQ(status->jits(0).code_name(), "LANTERN");
}

}  // namespace
}  // namespace entente::core
