#include "sync/handshake.h"

#include <utility>

#include "crypto/signing.h"
#include "sync/limits.h"

namespace entente::sync {
namespace {

constexpr size_t kNonceBytes = 32;

std::string ProofPayload(std::string_view own_nonce, std::string_view peer_nonce,
                         std::string_view own_spki, std::string_view peer_spki) {
  return Cat(own_nonce, peer_nonce, own_spki, peer_spki);
}

}  // namespace

v1::Frame MakeHello(Context& context, Link& link) {
  link.own_nonce = context.entropy.Bytes(kNonceBytes);
  v1::Frame frame;
  v1::Hello* hello = frame.mutable_hello();
  hello->set_version_min(kProtocolVersion);
  hello->set_version_max(kProtocolVersion);
  hello->set_signed_card(context.cards.Portable(context.self).SerializeAsString());
  hello->set_nonce(link.own_nonce);
  hello->set_batch_bytes_max(kBatchBytesMax);
  return frame;
}

absl::StatusOr<v1::Frame> AnswerHello(Context& context, Link& link, const v1::Hello& hello,
                                      bool* card_changed) {
  if (hello.version_min() > kProtocolVersion || hello.version_max() < kProtocolVersion) {
    return absl::FailedPreconditionError("the peer speaks no version this node knows [VERSION]");
  }
  if (hello.nonce().size() != kNonceBytes || hello.nonce() == link.own_nonce) {
    return absl::InvalidArgumentError("the peer's greeting has no fresh nonce");
  }
  const absl::StatusOr<TrustedCard> shown = VerifyCard(hello.signed_card());
  if (!shown.ok()) return shown.status();
  const TrustedCard* held = context.cards.Find(link.peer);
  if (held == nullptr || shown->party != link.peer || shown->tls_spki != link.peer_spki) {
    return absl::UnauthenticatedError("the peer shows another body's card than its TLS key says");
  }
  if (context.cards.IsRevoked(*shown)) {
    return absl::PermissionDeniedError(
        "the peer shows a card that its body has revoked: an old copy of that node is running");
  }
  if (shown->hash != held->hash && shown->card.seq() >= held->card.seq()) {
    WriteBatch writes;
    const absl::StatusOr<bool> trusted = context.cards.Trust(hello.signed_card(), &writes);
    context.store.Apply(writes);  // also after an error: two cards with one number are a proof
    if (!trusted.ok()) return trusted.status();
    *card_changed = true;
  }
  link.peer_nonce = hello.nonce();
  link.peer_card_checked = true;
  const TrustedCard& own = *context.cards.Find(context.self);
  v1::Frame frame;
  frame.mutable_hello_proof()->set_signature(
      crypto::SignStatement(
          context.keys->statement, crypto::Purpose::hello, JitId(),
          ProofPayload(link.own_nonce, link.peer_nonce, own.tls_spki.view(), link.peer_spki.view()))
          .str());
  return frame;
}

absl::Status CheckProof(const Context& context, const Link& link, const v1::HelloProof& proof) {
  if (!link.peer_card_checked) {
    return absl::FailedPreconditionError("the peer proved itself before it said who it is");
  }
  const TrustedCard& own = *context.cards.Find(context.self);
  return crypto::VerifyStatement(
      context.cards.Find(link.peer)->statement_key, crypto::Purpose::hello, JitId(),
      ProofPayload(link.peer_nonce, link.own_nonce, link.peer_spki.view(), own.tls_spki.view()),
      proof.signature());
}

}  // namespace entente::sync
