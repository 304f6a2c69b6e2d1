#include "node/bundle/proof_signature.h"

#include <vector>

#include "crypto/hash.h"

namespace entente::bundle {
namespace {

constexpr std::string_view kFirstLine = "entente/v1/export";

std::string Text(const ProofSignature& s) {
  return Cat(kFirstLine, "\n", s.jit.hex(), "\n", s.party.hex(), "\n", s.digest.hex(), "\n",
             Base64Encode(s.signature.view()), "\n");
}

absl::Status Malformed() {
  return absl::InvalidArgumentError(
      "the signature of the bundle is not in the form it was made in");
}

}  // namespace

std::string SignProof(const crypto::SigningKey& statement_key, const JitId& jit,
                      const PartyId& party, std::string_view proof) {
  ProofSignature out{jit, party, crypto::Sha256(proof), {}};
  out.signature =
      crypto::SignStatement(statement_key, crypto::Purpose::export_, jit, out.digest.view());
  return Text(out);
}

absl::StatusOr<ProofSignature> ParseProofSignature(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::string_view rest = text; !rest.empty() && lines.size() < 6;) {
    const size_t end = rest.find('\n');
    lines.push_back(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  if (lines.size() != 5) return Malformed();
  const auto jit = JitId::FromHex(lines[1]);
  const auto party = PartyId::FromHex(lines[2]);
  const auto digest = Hash::FromHex(lines[3]);
  const absl::StatusOr<std::string> raw = Base64Decode(lines[4]);
  if (!jit.ok() || !party.ok() || !digest.ok() || !raw.ok()) return Malformed();
  const auto signature = Signature::From(*raw);
  if (!signature.ok()) return Malformed();
  const ProofSignature out{*jit, *party, *digest, *signature};
  if (Text(out) != text) return Malformed();
  return out;
}

absl::Status VerifyProofSignature(const ProofSignature& signature, const PublicKey& statement_key) {
  if (!crypto::VerifyStatement(statement_key, crypto::Purpose::export_, signature.jit,
                               signature.digest.view(), signature.signature.view())
           .ok()) {
    return absl::UnauthenticatedError("the bundle is not signed by the body that it names");
  }
  return absl::OkStatus();
}

}  // namespace entente::bundle
