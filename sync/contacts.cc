#include "sync/contacts.h"

#include "entente/v1/storage.pb.h"
#include "sync/schema.h"

namespace entente::sync {
namespace {

constexpr absl::Duration kWholeSecond = absl::Seconds(1);

}  // namespace

absl::Status Contacts::Load() {
  return store_.Scan("h", "i", [&](std::string_view key, std::string_view value) {
    const absl::StatusOr<PartyId> party = PartyId::From(key.substr(1));
    v1::ContactRow row;
    if (party.ok() && row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      const absl::Time heard = absl::FromUnixSeconds(row.last_heard());
      contacts_[*party] = {heard, heard};
    }
    return true;
  });
}

void Contacts::Save(const PartyId& party, Contact& contact) {
  v1::ContactRow row;
  row.set_last_heard(absl::ToUnixSeconds(contact.heard));
  store_.Put(schema::Contact(party), row.SerializeAsString());
  contact.saved = contact.heard;
}

void Contacts::Heard(const PartyId& party, absl::Time now) {
  Contact& contact = contacts_[party];
  contact.heard = now;
  // By the difference either way: a clock is set back as well.
  if (absl::AbsDuration(now - contact.saved) >= kContactSavedEvery) Save(party, contact);
}

void Contacts::Parted(const PartyId& party) {
  const auto it = contacts_.find(party);
  if (it == contacts_.end()) return;
  Contact& contact = it->second;
  if (absl::AbsDuration(contact.heard - contact.saved) >= kWholeSecond) Save(party, contact);
}

void Contacts::ClockSetBack(absl::Time now) {
  for (auto& [party, contact] : contacts_) {
    if (contact.heard <= now) continue;
    contact.heard = now;
    Save(party, contact);
  }
}

absl::Time Contacts::Last(const PartyId& party) const {
  const auto it = contacts_.find(party);
  return it == contacts_.end() ? absl::InfinitePast() : it->second.heard;
}

}  // namespace entente::sync
