#include "crypto/timestamp.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <ctime>
#include <memory>

#include "crypto/check.h"

namespace entente::crypto {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Request = std::unique_ptr<TS_REQ, Freed<TS_REQ_free>>;
using Response = std::unique_ptr<TS_RESP, Freed<TS_RESP_free>>;
using Imprint = std::unique_ptr<TS_MSG_IMPRINT, Freed<TS_MSG_IMPRINT_free>>;
using Algorithm = std::unique_ptr<X509_ALGOR, Freed<X509_ALGOR_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using VerifyContext = std::unique_ptr<TS_VERIFY_CTX, Freed<TS_VERIFY_CTX_free>>;
using Store = std::unique_ptr<X509_STORE, Freed<X509_STORE_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;

absl::Status NoStamp(std::string_view what) {
  ERR_clear_error();
  return absl::InvalidArgumentError(Cat("no time stamp: ", what));
}
absl::Status WrongStamp(std::string_view what) {
  ERR_clear_error();
  return absl::UnauthenticatedError(Cat("the time stamp ", what));
}

absl::StatusOr<Response> Parse(std::string_view der) {
  if (der.size() > kTimestampBytesMax) return NoStamp("it is too long");
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* const end = at + der.size();
  Response response(d2i_TS_RESP(nullptr, &at, static_cast<long>(der.size())));
  if (response == nullptr || at != end) return NoStamp("its bytes do not parse");
  return response;
}

bool IsOf(TS_TST_INFO* info, const Hash& digest) {
  TS_MSG_IMPRINT* imprint = TS_TST_INFO_get_msg_imprint(info);
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  const ASN1_OCTET_STRING* said = TS_MSG_IMPRINT_get_msg(imprint);
  return OBJ_obj2nid(algorithm) == NID_sha256 &&
         std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(said)),
                          static_cast<size_t>(ASN1_STRING_length(said))) == digest.view();
}

absl::StatusOr<int64_t> TimeOf(TS_TST_INFO* info) {
  std::tm time = {};
  const ASN1_GENERALIZEDTIME* said = TS_TST_INFO_get_time(info);
  if (said == nullptr || ASN1_TIME_to_tm(said, &time) != 1) return NoStamp("it states no time");
  return static_cast<int64_t>(timegm(&time));
}

std::string SerialOf(TS_TST_INFO* info) {
  const ASN1_INTEGER* serial = TS_TST_INFO_get_serial(info);
  const Number number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (number == nullptr) return "";
  char* text = BN_bn2dec(number.get());
  std::string out = text == nullptr ? "" : text;
  OPENSSL_free(text);
  return out;
}

// Fills a store with the certificates of a PEM text, judged as of `time`.
bool FillStore(X509_STORE* store, std::string_view roots, int64_t time) {
  const Bio bio(BIO_new_mem_buf(roots.data(), static_cast<int>(roots.size())));
  int count = 0;
  for (;; ++count) {
    const Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return false;
  }
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), static_cast<time_t>(time));
  return count > 0;
}

absl::Status CheckSignature(TS_RESP* response, const Hash& digest, std::string_view roots,
                            int64_t time) {
  Store store(X509_STORE_new());
  VerifyContext context(TS_VERIFY_CTX_new());
  ENTENTE_CHECK(store != nullptr && context != nullptr);
  if (!FillStore(store.get(), roots, time)) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the authority's certificates are not in PEM");
  }
  TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_IMPRINT);
  // Both are freed with the context.
  TS_VERIFY_CTX_set_imprint(context.get(),
                            static_cast<unsigned char*>(OPENSSL_memdup(digest.data(), Hash::kSize)),
                            static_cast<long>(Hash::kSize));
  TS_VERIFY_CTX_set_store(context.get(), store.release());
  if (TS_RESP_verify_response(context.get(), response) != 1) {
    return WrongStamp("is not by an authority whose certificate was given");
  }
  return absl::OkStatus();
}

}  // namespace

std::string TimestampQuery(const Hash& digest) {
  const Request request(TS_REQ_new());
  const Imprint imprint(TS_MSG_IMPRINT_new());
  const Algorithm algorithm(X509_ALGOR_new());
  ENTENTE_CHECK(request != nullptr && imprint != nullptr && algorithm != nullptr);
  Hash copy = digest;
  ENTENTE_CHECK(
      TS_REQ_set_version(request.get(), 1) == 1 &&
      X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) == 1 &&
      TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1 &&
      TS_MSG_IMPRINT_set_msg(imprint.get(), copy.data(), static_cast<int>(Hash::kSize)) == 1 &&
      TS_REQ_set_msg_imprint(request.get(), imprint.get()) == 1 &&
      TS_REQ_set_cert_req(request.get(), 1) == 1);
  unsigned char* encoded = nullptr;
  const int size = i2d_TS_REQ(request.get(), &encoded);
  ENTENTE_CHECK(size > 0);
  std::string out(reinterpret_cast<char*>(encoded), static_cast<size_t>(size));
  OPENSSL_free(encoded);
  return out;
}

absl::StatusOr<Timestamp> ReadTimestamp(std::string_view der, const Hash& digest,
                                        std::string_view roots) {
  const absl::StatusOr<Response> response = Parse(der);
  if (!response.ok()) return response.status();
  TS_STATUS_INFO* status = TS_RESP_get_status_info(response->get());
  const long granted = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
  TS_TST_INFO* info = TS_RESP_get_tst_info(response->get());
  if ((granted != TS_STATUS_GRANTED && granted != TS_STATUS_GRANTED_WITH_MODS) || info == nullptr) {
    return NoStamp("the authority refused");
  }
  if (!IsOf(info, digest)) return WrongStamp("is of something else");
  const absl::StatusOr<int64_t> time = TimeOf(info);
  if (!time.ok()) return time.status();
  Timestamp out{*time, SerialOf(info), false};
  if (roots.empty()) return out;
  if (absl::Status s = CheckSignature(response->get(), digest, roots, *time); !s.ok()) return s;
  out.trusted = true;
  return out;
}

}  // namespace entente::crypto
