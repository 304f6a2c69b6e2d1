// Both ends of a mailbox compute it alone; nobody else can.
#include "sync/mailbox.h"

#include <set>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"
#include "tests/sync/federation.h"

namespace entente::sync {
namespace {

TEST(MailboxTest, OnesOutgoingIsTheOthersIncoming) {
  Federation f({"XA", "XB", "XC"});
  const auto pair = [&](const char* self, const char* peer) {
    return *DeriveMailboxes(f[self].keys->box, f[self].party, f[peer].keys->box.public_key(),
                            f[peer].party);
  };
  const MailboxPair a = pair("XA", "XB"), b = pair("XB", "XA"), c = pair("XC", "XA");
  EXPECT_EQ(a.outgoing.id, b.incoming.id);
  EXPECT_EQ(a.outgoing.deposit_seed, b.incoming.deposit_seed);
  EXPECT_EQ(a.incoming.id, b.outgoing.id);
  const std::set<MailboxId> all = {a.outgoing.id, a.incoming.id, c.outgoing.id, c.incoming.id};
  EXPECT_EQ(all.size(), 4u);
  EXPECT_NE(a.outgoing.deposit_seed, a.incoming.deposit_seed);
}

}  // namespace
}  // namespace entente::sync
