// An order stands for its signer: it says which positions of which log, and nobody can change that.
#include "sync/erasure_order.h"

#include <string>

#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "sync/limits.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

class ErasureOrderTest : public testing::Test {
 protected:
  ErasureOrderTest() { f_.TrustAll(); }
  v1::SignedErasureOrder Sign(const std::set<uint64_t>& indexes) {
    return SignErasureOrder(f_.jit, log_, indexes, f_["XA"].party,
                            VerifyCard(f_["XA"].signed_card)->hash, f_["XA"].keys->statement);
  }
  // The same signature over other bytes of an order is no signature: these are signed anew.
  v1::SignedErasureOrder SignBytes(const v1::ErasureOrder& order) {
    v1::SignedErasureOrder out = Sign({1});
    out.set_order(order.SerializeAsString());
    out.set_signature(crypto::SignStatement(f_["XA"].keys->statement, crypto::Purpose::erase,
                                            f_.jit, crypto::Sha256(out.order()).view())
                          .str());
    return out;
  }
  absl::StatusOr<ErasureOrder> Check(const v1::SignedErasureOrder& order) {
    return CheckErasureOrder(order, f_.jit, f_["XB"].replica->cards());
  }
  Federation f_{{"XA", "XB"}};
  const LogId log_ = *LogId::From(std::string(LogId::kSize, 'l'));
};

TEST_F(ErasureOrderTest, SaysWhoOrderedWhatErased) {
  const absl::StatusOr<ErasureOrder> order = Check(Sign({3, 5, 4}));
  ASSERT_OK(order);
  EXPECT_EQ(order->log, log_);
  EXPECT_EQ(order->indexes, (std::set<uint64_t>{3, 4, 5}));
  EXPECT_EQ(order->signer, f_["XA"].party);
}

TEST_F(ErasureOrderTest, ThatWasChangedOrSignedByAnotherIsRefused) {
  v1::SignedErasureOrder order = Sign({3});
  order.set_party(f_["XB"].party.str());
  EXPECT_REFUSED(Check(order), kUnauthenticated, "did not sign");
  order = Sign({3});
  order.set_order(Sign({4}).order());
  EXPECT_REFUSED(Check(order), kUnauthenticated, "did not sign");
  EXPECT_REFUSED(CheckErasureOrder(Sign({3}), JitId(), f_["XB"].replica->cards()), kUnauthenticated,
                 "did not sign");
}

TEST_F(ErasureOrderTest, ThatIsMalformedIsRefusedAndSaidWhy) {
  v1::ErasureOrder order;
  order.set_log_id("short");
  order.add_indexes(1);
  EXPECT_REFUSED(Check(SignBytes(order)), kInvalidArgument, "no log");
  order.set_log_id(log_.str());
  order.add_indexes(1);
  EXPECT_REFUSED(Check(SignBytes(order)), kInvalidArgument, "do not ascend");
  order.clear_indexes();
  EXPECT_REFUSED(Check(SignBytes(order)), kInvalidArgument, "no positions");
  for (uint64_t i = 0; i <= kPositionsPerOrder; ++i) order.add_indexes(i);
  EXPECT_REFUSED(Check(SignBytes(order)), kInvalidArgument, "too many");
  v1::SignedErasureOrder bytes = Sign({1});
  bytes.set_order("\xff\xff");
  EXPECT_REFUSED(Check(bytes), kInvalidArgument, "no order");
}

TEST_F(ErasureOrderTest, AConfirmationIsItsAuthorsOwn) {
  v1::Destroyed destroyed;
  destroyed.set_entries(4);
  const v1::Statement statement = SignDestroyed(
      f_.jit, destroyed, VerifyCard(f_["XA"].signed_card)->hash, f_["XA"].keys->statement);
  const CardBook& cards = f_["XB"].replica->cards();
  const auto checked = CheckDestroyed(statement, f_.jit, f_["XA"].party, cards);
  ASSERT_OK(checked);
  EXPECT_EQ(checked->entries(), 4u);
  EXPECT_REFUSED(CheckDestroyed(statement, f_.jit, f_["XB"].party, cards), kUnauthenticated, "");
  v1::Statement changed = statement;
  destroyed.set_entries(5);
  changed.set_payload(destroyed.SerializeAsString());
  EXPECT_REFUSED(CheckDestroyed(changed, f_.jit, f_["XA"].party, cards), kUnauthenticated, "");
}

}  // namespace
}  // namespace entente::sync
