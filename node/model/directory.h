// The bodies this node knows by a trusted card, for the rules and for people's eyes.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "crypto/bytes.h"
#include "entente/v1/card.pb.h"

namespace entente::model {

struct BodyInfo {
  PartyId party;
  std::string code;
  std::string name;
  v1::BodyKind kind = v1::BODY_KIND_UNSPECIFIED;
  std::string country;
};

class Directory {
 public:
  void Add(BodyInfo body) { bodies_[body.party] = std::move(body); }
  const BodyInfo* Find(const PartyId& party) const {
    const auto it = bodies_.find(party);
    return it == bodies_.end() ? nullptr : &it->second;
  }
  const BodyInfo* FindByCode(std::string_view code) const {
    for (const auto& [party, body] : bodies_) {
      if (body.code == code) return &body;
    }
    return nullptr;
  }
  // A body without a trusted card is shown by the start of its id.
  std::string CodeOf(const PartyId& party) const {
    const BodyInfo* body = Find(party);
    return body == nullptr ? "?" + party.hex().substr(0, 8) : body->code;
  }
  const std::map<PartyId, BodyInfo>& all() const { return bodies_; }

 private:
  std::map<PartyId, BodyInfo> bodies_;
};

inline bool IsMemberState(v1::BodyKind kind) {
  return kind == v1::BODY_KIND_MEMBER_STATE_AUTHORITY || kind == v1::BODY_KIND_EPPO;
}
inline bool IsThirdCountry(v1::BodyKind kind) {
  return kind == v1::BODY_KIND_THIRD_COUNTRY_AUTHORITY ||
         kind == v1::BODY_KIND_INTERNATIONAL_JUDICIAL_AUTHORITY;
}
inline bool IsUnionBody(v1::BodyKind kind) {
  return kind == v1::BODY_KIND_EUROJUST || kind == v1::BODY_KIND_EUROPOL ||
         kind == v1::BODY_KIND_OLAF || kind == v1::BODY_KIND_OTHER_UNION_BODY ||
         kind == v1::BODY_KIND_JITS_NETWORK_SECRETARIAT;
}

}  // namespace entente::model
