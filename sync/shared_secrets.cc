#include "sync/shared_secrets.h"

#include <algorithm>
#include <utility>

#include "crypto/hash.h"
#include "entente/v1/storage.pb.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

constexpr std::string_view kFirstLine = "entente-shared-secret-1";

std::string CheckOf(const crypto::Secret32& secret, const PartyId& from, const PartyId& to) {
  return std::string(crypto::K(secret, "slot-psk", {"held", from.view(), to.view()}).view());
}

}  // namespace

std::string EncodeSecretFile(const SecretFile& file) {
  return Cat(kFirstLine, "\nfrom: ", file.from.hex(), "\nto: ", file.to.hex(),
             "\nsecret: ", Base64Encode(file.secret.view()), "\n");
}

absl::StatusOr<SecretFile> ParseSecretFile(std::string_view text) {
  const absl::Status malformed = absl::InvalidArgumentError("not a file of a shared secret");
  std::map<std::string, std::string> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const size_t colon = line.find(": ");
    if (colon != std::string_view::npos) {
      lines[std::string(line.substr(0, colon))] = std::string(line.substr(colon + 2));
    }
  }
  const absl::StatusOr<PartyId> from = PartyId::FromHex(lines["from"]);
  const absl::StatusOr<PartyId> to = PartyId::FromHex(lines["to"]);
  absl::StatusOr<std::string> raw = Base64Decode(lines["secret"]);
  if (!from.ok() || !to.ok() || !raw.ok()) return malformed;
  const crypto::SecretBytes bytes(*std::move(raw));
  absl::StatusOr<crypto::Secret32> secret = crypto::Secret32::From(bytes.view());
  if (!secret.ok()) return malformed;
  SecretFile out{*from, *to, *std::move(secret)};
  if (EncodeSecretFile(out) != text) return malformed;
  return out;
}

SharedSecrets::SharedSecrets(const PartyId& self, OverlayKv& store,
                             const crypto::Secret32& storage_key)
    : self_(self), store_(store), own_(crypto::K(storage_key, "slot-psk", {"own", self.view()})) {}

absl::Status SharedSecrets::Load() {
  absl::Status failure;
  const absl::Status scan =
      store_.Scan("s", "t", [&](std::string_view key, std::string_view value) {
        const absl::StatusOr<PartyId> peer = PartyId::From(key.substr(1));
        v1::SharedSecretRow row;
        if (!peer.ok() || !row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          failure = absl::DataLossError("a stored shared secret is damaged");
          return false;
        }
        absl::StatusOr<crypto::Secret32> secret = crypto::Secret32::From(row.secret());
        crypto::WipeMemory(row.mutable_secret()->data(), row.secret().size());
        if (!secret.ok()) {
          failure = absl::DataLossError("a stored shared secret is damaged");
          return false;
        }
        shared_[*peer] = {*std::move(secret), row.confirmed(), row.since()};
        return true;
      });
  return scan.ok() ? failure : scan;
}

void SharedSecrets::Save(const PartyId& peer, const Shared& shared) {
  v1::SharedSecretRow row;
  row.set_secret(std::string(shared.secret.view()));
  row.set_confirmed(shared.confirmed);
  row.set_since(shared.since);
  store_.Put(schema::SharedSecret(peer), row.SerializeAsString());
  crypto::WipeMemory(row.mutable_secret()->data(), row.secret().size());
}

void SharedSecrets::Set(const PartyId& peer, const crypto::Secret32& secret, absl::Time now) {
  Shared& shared = shared_[peer];
  shared = {secret.Clone(), false, absl::ToUnixSeconds(now)};
  Save(peer, shared);
}

void SharedSecrets::Drop(const PartyId& peer) {
  shared_.erase(peer);
  store_.Delete(schema::SharedSecret(peer));
}

const crypto::Secret32* SharedSecrets::Held(const PartyId& peer) const {
  const auto it = shared_.find(peer);
  return it == shared_.end() ? nullptr : &it->second.secret;
}

const crypto::Secret32* SharedSecrets::InUse(const PartyId& peer) const {
  const auto it = shared_.find(peer);
  return it == shared_.end() || !it->second.confirmed ? nullptr : &it->second.secret;
}

v1::Frame SharedSecrets::Notice(const PartyId& peer, bool reply) const {
  v1::Frame frame;
  v1::SecretNotice* notice = frame.mutable_secret();
  notice->set_reply(reply);
  if (const crypto::Secret32* secret = Held(peer)) notice->set_check(CheckOf(*secret, self_, peer));
  return frame;
}

bool SharedSecrets::OnNotice(const PartyId& peer, const v1::SecretNotice& notice) {
  const auto it = shared_.find(peer);
  if (it != shared_.end()) {
    const bool same =
        crypto::EqualInConstantTime(notice.check(), CheckOf(it->second.secret, peer, self_));
    if (same != it->second.confirmed) {
      it->second.confirmed = same;
      Save(peer, it->second);
    }
  }
  return !notice.reply();
}

}  // namespace entente::sync
