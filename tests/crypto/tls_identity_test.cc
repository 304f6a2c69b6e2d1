// A TLS identity follows from its seed: both ends of a mailbox compute the same pin.
#include "crypto/tls_identity.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::crypto {
namespace {

TEST(TlsIdentityTest, TheSameSeedGivesTheSameCertificate) {
  const Secret32 seed = *Secret32::From(std::string(32, 's'));
  const auto one = TlsIdentityFromSeed(seed, "mailbox");
  const auto two = TlsIdentityFromSeed(seed, "mailbox");
  ASSERT_OK(one);
  EXPECT_EQ(one->certificate_pem, two->certificate_pem);
  EXPECT_EQ(*SpkiSha256(one->certificate_pem), *SpkiSha256(two->certificate_pem));
}

TEST(TlsIdentityTest, ThePinIsOfTheKeyNotOfTheName) {
  const Secret32 seed = *Secret32::From(std::string(32, 's'));
  const Secret32 other = *Secret32::From(std::string(32, 't'));
  const Hash pin = *SpkiSha256(TlsIdentityFromSeed(seed, "one")->certificate_pem);
  EXPECT_EQ(*SpkiSha256(TlsIdentityFromSeed(seed, "two")->certificate_pem), pin);
  EXPECT_NE(*SpkiSha256(TlsIdentityFromSeed(other, "one")->certificate_pem), pin);
}

TEST(TlsIdentityTest, NamesAndCertificatesThatAreNoneAreRefused) {
  const Secret32 seed = *Secret32::From(std::string(32, 's'));
  EXPECT_REFUSED(TlsIdentityFromSeed(seed, ""), kInvalidArgument, "");
  EXPECT_REFUSED(TlsIdentityFromSeed(seed, std::string(65, 'x')), kInvalidArgument, "");
  EXPECT_REFUSED(SpkiSha256("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
                 kInvalidArgument, "");
  EXPECT_REFUSED(SpkiSha256(""), kInvalidArgument, "");
}

}  // namespace
}  // namespace entente::crypto
