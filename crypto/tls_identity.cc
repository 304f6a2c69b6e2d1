#include "crypto/tls_identity.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "crypto/hash.h"

namespace entente::crypto {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Buffer = std::unique_ptr<BIO, Freer<BIO_free_all>>;

constexpr const char* kNotBefore = "20240101000000Z";
constexpr const char* kNotAfter = "99991231235959Z";
constexpr size_t kCertificateBytesMax = 64 * 1024;
constexpr size_t kCommonNameBytesMax = 64;  // X.520 ub-common-name

std::string Contents(BIO* buffer) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(buffer, &data);
  return std::string(data, static_cast<size_t>(size));
}

// Each way out of OpenSSL with an error empties its queue: TLS on this thread would take what is
// left there for its own.
absl::Status Failed() {
  ERR_clear_error();
  return absl::InternalError("OpenSSL could not make a TLS identity");
}
absl::Status NotACertificate() {
  ERR_clear_error();
  return absl::InvalidArgumentError("not a certificate");
}

absl::StatusOr<Certificate> SelfSign(EVP_PKEY* key, std::string_view common_name) {
  Certificate certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), 2) != 1) return Failed();
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  if (ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1) != 1 ||
      ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate.get()), kNotBefore) != 1 ||
      ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate.get()), kNotAfter) != 1 ||
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.data()),
                                 static_cast<int>(common_name.size()), -1, 0) != 1 ||
      X509_set_issuer_name(certificate.get(), name) != 1 ||
      X509_set_pubkey(certificate.get(), key) != 1 ||
      X509_sign(certificate.get(), key, nullptr) == 0) {
    return Failed();
  }
  return certificate;
}

}  // namespace

absl::StatusOr<TlsIdentity> GenerateTlsIdentity(Entropy& entropy, std::string_view common_name) {
  return TlsIdentityFromSeed(entropy.Draw<Secret32>(), common_name);
}

absl::StatusOr<TlsIdentity> TlsIdentityFromSeed(const Secret32& seed,
                                                std::string_view common_name) {
  if (common_name.empty() || common_name.size() > kCommonNameBytesMax) {
    return absl::InvalidArgumentError("a certificate's name has 1 to 64 characters");
  }
  const Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), 32));
  if (key == nullptr) return Failed();
  const absl::StatusOr<Certificate> certificate = SelfSign(key.get(), common_name);
  if (!certificate.ok()) return certificate.status();
  const Buffer certificate_pem(BIO_new(BIO_s_mem()));
  const Buffer key_pem(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_X509(certificate_pem.get(), certificate->get()) != 1 ||
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return Failed();
  }
  TlsIdentity out;
  out.certificate_pem = Contents(certificate_pem.get());
  out.private_key_pem = SecretBytes(Contents(key_pem.get()));
  return out;
}

absl::StatusOr<Hash> SpkiSha256(std::string_view certificate_pem) {
  if (certificate_pem.empty() || certificate_pem.size() > kCertificateBytesMax) {
    return NotACertificate();
  }
  const Buffer buffer(
      BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  const Certificate certificate(PEM_read_bio_X509(buffer.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return NotACertificate();
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  if (size <= 0) return NotACertificate();
  const Hash out =
      Sha256(std::string_view(reinterpret_cast<const char*>(der), static_cast<size_t>(size)));
  OPENSSL_free(der);
  return out;
}

}  // namespace entente::crypto
