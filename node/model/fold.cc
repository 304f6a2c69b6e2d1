// The fold of a record: canonical order, then one entry after the other. See record.h.
#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "crypto/hash.h"
#include "node/model/record.h"
#include "node/model/words.h"
#include "sync/hlc.h"
#include "sync/record_id.h"

namespace entente::model {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct Item {
  const RecordEntry* entry = nullptr;
  v1::EntryBody body;
  std::set<Hash> past;  // leaves of this record that it saw, itself excluded
};

std::vector<Hash> NamedLeaves(const v1::EntryBody& body) {
  std::vector<Hash> out;
  for (const v1::Ref& ref : body.based_on()) {
    if (const auto leaf = Hash::From(ref.leaf()); leaf.ok()) out.push_back(*leaf);
  }
  if (body.has_own_prev()) {
    if (const auto leaf = Hash::From(body.own_prev().leaf()); leaf.ok()) out.push_back(*leaf);
  }
  return out;
}

// Applies entries to a Folded, one by one.
class Folder {
 public:
  Folder(const FoldContext& context, const Kind& kind, const JitId& jit)
      : context_(context), kind_(kind), jit_(jit) {
    out_.record = kind.New();
  }

  void Apply(const Item& item) {
    HistoryStep step;
    step.hlc = item.body.hlc();
    step.author = item.entry->author;
    step.user = item.body.user();
    step.leaf = item.entry->ref.leaf;
    std::string code;
    std::string detail;
    if (!Admissible(item, &code, &detail) || !Change(item, &step.what, &code, &detail)) {
      out_.refused.push_back({item.entry->ref.leaf, code, detail});
      step.refused = code;
    } else {
      out_.changed_hlc = std::max(out_.changed_hlc, item.body.hlc());
    }
    if (step.what.empty()) step.what = "change";
    if (item.body.has_grant()) {
      for (const PartyId& member : *item.entry->audience) {
        if (member != step.author) step.to = member;
      }
    }
    out_.history.push_back(std::move(step));
  }

  Folded Take() {
    if (out_.erasure.has_value()) {
      // Whatever else is here was written by somebody who had not heard of it.
      out_.record = kind_.New();
      out_.files.clear();
      out_.custody.clear();
      out_.corrections.clear();
      out_.conflicts.clear();
      out_.originals.clear();
      return std::move(out_);
    }
    if (kind_.record_class() == v1::RECORD_CLASS_TWO_SIDED) Picture();
    return std::move(out_);
  }

 private:
  static bool Refuse(std::string* code, std::string_view why, std::string* detail,
                     std::string_view text) {
    *code = std::string(why);
    *detail = std::string(text);
    return false;
  }

  // §7.3: a member then, an audience of named bodies, inside the period. The entry's own time
  // decides, not the reader's clock.
  bool Admissible(const Item& item, std::string* code, std::string* detail) const {
    const EffectLimit limit = context_.limit(item.entry->ref.log);
    if (item.entry->ref.index >= limit.size) return Refuse(code, limit.code, detail, limit.detail);
    const absl::StatusOr<Hash> version = Hash::From(item.body.agreement());
    const v1::Agreement* agreement = version.ok() ? context_.agreement(*version) : nullptr;
    if (agreement == nullptr) {
      return Refuse(code, "NOT_PERMITTED", detail, "it rests on no agreement in force");
    }
    std::map<std::string, const v1::AgreementBody*> bodies;
    for (const v1::AgreementBody& body : agreement->bodies()) bodies[body.party()] = &body;
    for (const PartyId& member : *item.entry->audience) {
      if (!bodies.contains(member.str())) {
        return Refuse(code, "NOT_PERMITTED", detail, "its audience names a body outside the JIT");
      }
    }
    const auto author = bodies.find(item.entry->author.str());
    if (author == bodies.end()) {
      return Refuse(code, "NOT_PERMITTED", detail, "its author is not named in the agreement");
    }
    const bool creates = item.body.has_create();
    if (creates && author->second->participant() &&
        (kind_.number() == kTaskKind || kind_.number() == kLineKind)) {
      return Refuse(code, "NOT_PERMITTED", detail, "a participant proposes, it does not assign");
    }
    // What is to be erased is erased, and said to be, however long the JIT is over.
    if (SpeaksOfErasure(item.body)) return true;
    const int64_t seconds = absl::ToUnixSeconds(sync::TimeFromHlc(item.body.hlc()));
    if (seconds < agreement->period_from() || seconds >= agreement->period_to()) {
      return Refuse(code, "OUT_OF_PERIOD", detail, "it was made outside the agreement's period");
    }
    return true;
  }

  bool Change(const Item& item, std::string* what, std::string* code, std::string* detail) {
    *what = WhatItDoes(item.body, kind_);
    switch (item.body.change_case()) {
      case v1::EntryBody::kCreate:
        return Create(item, code, detail);
      case v1::EntryBody::kRelease:
        return Release(item, code, detail);
      case v1::EntryBody::kAmend:
        return Exists(code, detail) && Amend(item, code, detail);
      case v1::EntryBody::kTransition:
        return Exists(code, detail) && Transition(item, code, detail);
      case v1::EntryBody::kEvent:
        return Exists(code, detail) && AddEvent(item, item.body.event(), code, detail);
      case v1::EntryBody::kGrant:
        return Exists(code, detail) && HandOn(item, code, detail);
      case v1::EntryBody::kErase:
        return Erase(item, code, detail);
      case v1::EntryBody::kStatement:
        return Exists(code, detail) && Destroyed(item, code, detail);
      default:
        return Refuse(code, "SCHEMA", detail, "a change of a later version");
    }
  }

  bool Exists(std::string* code, std::string* detail) const {
    return out_.exists || Refuse(code, "BAD_STATE", detail, "the record has not been created");
  }

  Side SideOf(const PartyId& author) const {
    if (author == out_.owner) return Side::kOwner;
    if (out_.executor.has_value() && author == *out_.executor) return Side::kExecutor;
    return Side::kOther;
  }

  bool IsItsAuthors(const Item& item, std::string* code, std::string* detail) const {
    return sync::Founds(jit_, item.entry->author, item.body) ||
           Refuse(code, "NOT_PERMITTED", detail, "the record's id is not one of its author's");
  }

  void Found(const Item& item) {
    out_.exists = true;
    out_.owner = item.entry->author;
    out_.audience = *item.entry->audience;
    out_.created_hlc = item.body.hlc();
    out_.created_leaf = item.entry->ref.leaf;
    out_.created_user = item.body.user();
    out_.files.assign(item.body.files().begin(), item.body.files().end());
    FindExecutor();
  }

  void FindExecutor() {
    std::string party;
    if (const auto* task = dynamic_cast<const v1::Task*>(out_.record.get())) {
      party = task->to_party();
    } else if (const auto* card = dynamic_cast<const v1::Card*>(out_.record.get())) {
      party = card->responsible_party();
    }
    if (const auto executor = PartyId::From(party); executor.ok()) out_.executor = *executor;
  }

  bool Create(const Item& item, std::string* code, std::string* detail) {
    if (out_.exists) return Refuse(code, "BAD_STATE", detail, "the record exists already");
    if (!IsItsAuthors(item, code, detail)) return false;
    auto record = kind_.Decode(item.body.create().record());
    const absl::Status valid = record.ok() ? kind_.Validate(**record) : record.status();
    if (!valid.ok()) return Refuse(code, "SCHEMA", detail, ToStd(valid.message()));
    out_.record = *std::move(record);
    out_.state = kind_.InitialState();
    out_.blind_key = item.body.create().blind_key();
    Found(item);
    return true;
  }

  // The owner widens: for those who held the record only the audience changes; for the others the
  // snapshot is the record.
  bool Release(const Item& item, std::string* code, std::string* detail) {
    const v1::Release& release = item.body.release();
    if (out_.exists && item.entry->author != out_.owner) {
      return Refuse(code, "NOT_PERMITTED", detail, "only the owner releases a record");
    }
    if (!out_.exists) {
      if (!IsItsAuthors(item, code, detail)) return false;
      auto record = kind_.Decode(release.snapshot().record());
      const absl::Status valid = record.ok() ? kind_.Validate(**record) : record.status();
      if (!valid.ok()) return Refuse(code, "SCHEMA", detail, ToStd(valid.message()));
      out_.record = *std::move(record);
      out_.state = release.snapshot().state();
      out_.blind_key = release.snapshot().blind_key();
      Found(item);
      for (const v1::Event& event : release.snapshot().events()) {
        static_cast<void>(AddEvent(item, event, code, detail));
      }
    } else {
      out_.audience.insert(item.entry->audience->begin(), item.entry->audience->end());
    }
    // Where the kind knows the state, the release is the step into it.
    const absl::StatusOr<uint32_t> released = kind_.StateNumber("RELEASED");
    const v1::TransitionRule* rule =
        released.ok() ? kind_.Rule(out_.state, *released, Side::kOwner) : nullptr;
    // A step that wants a reason of its own, such as lifting a restriction, is never a by-product.
    if (rule != nullptr && !rule->justify()) out_.state = *released;
    v1::CustodyEvent handed;
    handed.set_kind(v1::CUSTODY_EVENT_KIND_RELEASED_TO);
    handed.set_time(absl::ToUnixSeconds(sync::TimeFromHlc(item.body.hlc())));
    handed.set_actor(item.body.user());
    handed.set_from_party(item.entry->author.str());
    for (const std::string& party : release.added()) handed.add_to_parties(party);
    handed.set_purpose(release.legal_basis());
    out_.custody.push_back({std::move(handed), item.entry->author, item.body.user(),
                            item.entry->ref.leaf, item.body.hlc()});
    return true;
  }

  template <class Numbers>
  bool SetFields(const Item& item, const std::string& bytes, const Numbers& fields,
                 std::string* code, std::string* detail) {
    const auto given = kind_.Decode(bytes);
    if (!given.ok()) return Refuse(code, "SCHEMA", detail, ToStd(given.status().message()));
    const Side side = SideOf(item.entry->author);
    std::unique_ptr<Message> next(out_.record->New());
    next->CopyFrom(*out_.record);
    std::vector<const FieldDescriptor*> touched;
    for (const uint32_t number : fields) {
      const FieldDescriptor* field =
          next->GetDescriptor()->FindFieldByNumber(static_cast<int>(number));
      if (field == nullptr) return Refuse(code, "SCHEMA", detail, "a field of a later version");
      if (!kind_.MayWrite(*field, side) || kind_.Immutable(*field)) {
        return Refuse(code, "NOT_PERMITTED", detail,
                      Cat("its author may not change ", field->name()));
      }
      CopyField(**given, *field, next.get());
      touched.push_back(field);
    }
    if (const absl::Status valid = kind_.Validate(*next); !valid.ok()) {
      return Refuse(code, "SCHEMA", detail, ToStd(valid.message()));
    }
    for (const FieldDescriptor* field : touched) NoteWriter(item, *field, *next);
    out_.record = std::move(next);
    return true;
  }

  bool Amend(const Item& item, std::string* code, std::string* detail) {
    const v1::Amend& amend = item.body.amend();
    if (!SetFields(item, amend.record(), amend.fields(), code, detail)) return false;
    if (kind_.number() != kEvidenceKind) return true;
    Correction correction{
        item.body.hlc(), item.body.user(), item.body.justification(), {}, item.entry->ref.leaf};
    for (const uint32_t number : amend.fields()) {
      const FieldDescriptor* field =
          out_.record->GetDescriptor()->FindFieldByNumber(static_cast<int>(number));
      if (field != nullptr) correction.fields.push_back(field->name());
    }
    out_.corrections.push_back(std::move(correction));
    return true;
  }

  static void CopyField(const Message& from, const FieldDescriptor& field, Message* to) {
    std::unique_ptr<Message> only(from.New());
    only->CopyFrom(from);
    const google::protobuf::Reflection& reflection = *from.GetReflection();
    std::vector<const FieldDescriptor*> all;
    reflection.ListFields(from, &all);
    for (const FieldDescriptor* other : all) {
      if (other->number() != field.number()) reflection.ClearField(only.get(), other);
    }
    only->GetReflection()->MutableUnknownFields(only.get())->Clear();
    to->GetReflection()->ClearField(to, &field);
    to->MergeFrom(*only);
  }

  // Two writes of one field that did not see each other: both values are kept for people to settle.
  void NoteWriter(const Item& item, const FieldDescriptor& field, const Message& next) {
    auto& writers = out_.field_writers[field.name()];
    const auto value = [&field](const Message& message) {
      std::unique_ptr<Message> only(message.New());
      CopyField(message, field, only.get());
      return only->ShortDebugString();
    };
    std::vector<std::string>& values = out_.conflicts[field.name()];
    bool concurrent = false;
    for (const auto& [leaf, author] : writers) {
      // One author's entries follow each other even where rule Δ4 forbids naming the earlier one.
      concurrent |= author != item.entry->author && !item.past.contains(leaf);
    }
    if (concurrent) {
      if (values.empty()) values.push_back(value(*out_.record));
      values.push_back(value(next));
    } else {
      values.clear();  // it saw all earlier ones: the question is settled
      writers.clear();
    }
    if (values.empty()) out_.conflicts.erase(field.name());
    writers.push_back({item.entry->ref.leaf, item.entry->author});
  }

  // The kind whose states and rules count: a card moves like the record it stands for.
  const Kind& RuleKind() const {
    const auto* card = dynamic_cast<const v1::Card*>(out_.record.get());
    const Kind* kind = card == nullptr ? nullptr : context_.kinds.Find(card->kind());
    return kind == nullptr ? kind_ : *kind;
  }

  bool Transition(const Item& item, std::string* code, std::string* detail) {
    const v1::Transition& step = item.body.transition();
    const Side side = SideOf(item.entry->author);
    const Kind& rules = RuleKind();
    const v1::TransitionRule* rule = rules.Rule(step.from(), step.to(), side);
    if (rule == nullptr) {
      return Refuse(code, side == Side::kOther ? "NOT_PERMITTED" : "BAD_STATE", detail,
                    Cat("no rule lets its author move it from ", rules.StateName(step.from()),
                        " to ", rules.StateName(step.to())));
    }
    const bool is_card = kind_.number() == kCardKind;
    if (rule->justify() && item.body.justification().empty() && !is_card) {
      return Refuse(code, "SCHEMA", detail, "this step needs a reason");
    }
    if (kind_.record_class() == v1::RECORD_CLASS_TWO_SIDED) {
      if (!CouldHaveSeen(item.entry->author, step.from())) {
        return Refuse(code, "BAD_STATE", detail, "its author never saw the state it starts from");
      }
    } else if (step.from() != out_.state) {
      return Refuse(code, "BAD_STATE", detail,
                    Cat("the record is ", rules.StateName(out_.state), ", not ",
                        rules.StateName(step.from())));
    }
    if (step.fields_size() > 0 && !SetFields(item, step.record(), step.fields(), code, detail)) {
      return false;
    }
    Register& mine = out_.registers[item.entry->author];
    mine.past.push_back(mine.state);
    mine.state = step.to();
    out_.state = step.to();
    return true;
  }

  // Whether the mover, with its own register as it is, could have seen `from`: for some value the
  // other side has had, the table gives it.
  bool CouldHaveSeen(const PartyId& mover, uint32_t from) const {
    const auto values = [this](const PartyId& party) {
      std::vector<uint32_t> out = {0};
      if (const auto it = out_.registers.find(party); it != out_.registers.end()) {
        out.insert(out.end(), it->second.past.begin(), it->second.past.end());
        out.push_back(it->second.state);
      }
      return out;
    };
    const bool owner = mover == out_.owner;
    const PartyId other = owner ? out_.executor.value_or(PartyId()) : out_.owner;
    const uint32_t mine = values(mover).back();
    const std::vector<uint32_t> theirs = values(other);
    return std::any_of(theirs.begin(), theirs.end(), [&](uint32_t value) {
      return (owner ? TaskTable(mine, value) : TaskTable(value, mine)).state == from;
    });
  }

  bool AddEvent(const Item& item, const v1::Event& event, std::string* code, std::string* detail) {
    v1::CustodyEvent custody;
    if (!custody.ParseFromString(event.event()) || !v1::CustodyEventKind_IsValid(custody.kind()) ||
        custody.kind() == v1::CUSTODY_EVENT_KIND_UNSPECIFIED) {
      return Refuse(code, "SCHEMA", detail, "a custody event that does not parse");
    }
    const bool answers = custody.kind() == v1::CUSTODY_EVENT_KIND_RECEIVED_BY ||
                         custody.kind() == v1::CUSTODY_EVENT_KIND_CORRECTION_NOTED;
    if (answers && custody.answers().size() != Hash::kSize) {
      return Refuse(code, "SCHEMA", detail, "an answer that says not to what");
    }
    // A hand-over is its owner's word alone, whoever else may record what they did.
    if ((custody.kind() == v1::CUSTODY_EVENT_KIND_RELEASED_TO ||
         custody.kind() == v1::CUSTODY_EVENT_KIND_REGISTERED) &&
        item.entry->author != out_.owner) {
      return Refuse(code, "NOT_PERMITTED", detail, "only the owner hands a record over");
    }
    out_.custody.push_back({std::move(custody), item.entry->author, item.body.user(),
                            item.entry->ref.leaf, item.body.hlc()});
    return true;
  }

  // Originals change nothing: they show that what the owner released is what it had signed.
  bool HandOn(const Item& item, std::string* code, std::string* detail) {
    if (item.entry->author != out_.owner) {
      return Refuse(code, "NOT_PERMITTED", detail, "only the owner hands a record on");
    }
    auto originals = context_.originals(item.entry->author, item.body.grant());
    if (!originals.ok()) {
      return Refuse(code, "NOT_AS_SIGNED", detail, ToStd(originals.status().message()));
    }
    for (const sync::Original& original : *originals) {
      if (original.body.record_id() != item.body.record_id() ||
          original.body.kind() != item.body.kind()) {
        return Refuse(code, "BAD_REF", detail, "it hands on entries of another record");
      }
    }
    for (sync::Original& original : *originals) {
      const auto same = [&](const HandedOn& known) {
        return known.original.ref.leaf == original.ref.leaf;
      };
      if (std::none_of(out_.originals.begin(), out_.originals.end(), same)) {
        out_.originals.push_back({std::move(original), item.entry->author});
      }
    }
    std::sort(out_.originals.begin(), out_.originals.end(),
              [](const HandedOn& a, const HandedOn& b) {
                return std::pair(a.original.body.hlc(), a.original.ref) <
                       std::pair(b.original.body.hlc(), b.original.ref);
              });
    return true;
  }

  bool Erase(const Item& item, std::string* code, std::string* detail) {
    if (!IsItsAuthors(item, code, detail)) return false;
    if (!out_.exists) Found(item);
    out_.audience.insert(item.entry->audience->begin(), item.entry->audience->end());
    if (!out_.erasure.has_value()) {
      out_.erasure =
          Erasure{item.body.hlc(), item.body.user(), item.body.erase().basis(), {}, {}, {}};
    }
    ErasureAct act{item.entry->ref, *item.entry->audience, {}};
    for (const v1::SignedErasureOrder& order : item.body.erase().orders()) {
      act.orders.insert(crypto::Sha256(order.order()));
      out_.erasure->orders.push_back(order);
    }
    out_.erasure->acts.push_back(std::move(act));
    return true;
  }

  bool Destroyed(const Item& item, std::string* code, std::string* detail) {
    v1::Destroyed destroyed;
    if (!out_.erasure.has_value() || !destroyed.ParseFromString(item.body.statement().payload())) {
      return Refuse(code, "SCHEMA", detail, "a confirmation of what was never ordered");
    }
    out_.erasure->destroyed.push_back(
        {std::move(destroyed), item.body.statement(), item.entry->author});
    return true;
  }

  void Picture() {
    const auto state = [this](const PartyId& party) {
      const auto it = out_.registers.find(party);
      return it == out_.registers.end() ? 0u : it->second.state;
    };
    const bool self_assigned = out_.executor.has_value() && *out_.executor == out_.owner;
    if (self_assigned) return;
    const TaskPicture picture =
        TaskTable(state(out_.owner), out_.executor.has_value() ? state(*out_.executor) : 0);
    out_.state = picture.state;
    out_.crossed = picture.crossed;
  }

  const FoldContext& context_;
  const Kind& kind_;
  const JitId jit_;
  Folded out_;
};

}  // namespace

bool Record::Add(RecordEntry entry) {
  for (const RecordEntry& known : entries_) {
    if (known.ref.leaf == entry.ref.leaf) return false;
  }
  entries_.push_back(std::move(entry));
  return true;
}

std::set<sync::EntryRef> Record::Forget() {
  std::set<sync::EntryRef> gone;
  std::erase_if(entries_, [&](const RecordEntry& entry) {
    v1::EntryBody body;
    if (body.ParseFromString(entry.body_bytes) && SpeaksOfErasure(body)) return false;
    gone.insert(entry.ref);
    return true;
  });
  entries_.shrink_to_fit();
  return gone;
}

Folded Record::Fold(const FoldContext& context) const {
  const Kind& kind = *context.kinds.Find(kind_);
  std::map<Hash, Item> items;
  for (const RecordEntry& entry : entries_) {
    Item item;
    item.entry = &entry;
    if (item.body.ParseFromString(entry.body_bytes)) items.emplace(entry.ref.leaf, std::move(item));
  }
  // Canonical order: an entry comes after all it names; among those that may come next, the
  // smallest (hlc, log, index). An entry that names one we lack waits, and so does what names it.
  using Key = std::tuple<uint64_t, sync::EntryRef>;
  std::map<Hash, std::vector<Hash>> followers;
  std::map<Hash, size_t> missing;
  std::set<Key> ready;
  std::set<Hash> bad_refs;
  for (auto& [leaf, item] : items) {
    size_t open = 0;
    for (const Hash& named : NamedLeaves(item.body)) {
      const auto target = items.find(named);
      if (target == items.end()) {
        open += 1;
        continue;
      }
      // Δ4: only entries whose audience contains this one's may be named.
      if (!std::includes(target->second.entry->audience->begin(),
                         target->second.entry->audience->end(), item.entry->audience->begin(),
                         item.entry->audience->end())) {
        bad_refs.insert(leaf);
        continue;
      }
      followers[named].push_back(leaf);
      open += 1;
    }
    missing[leaf] = open;
    if (open == 0) ready.insert({item.body.hlc(), item.entry->ref});
  }
  Folder folder(context, kind, jit_);
  size_t applied = 0;
  std::vector<RefusedChange> refused;
  while (!ready.empty()) {
    const Hash leaf = std::get<1>(*ready.begin()).leaf;
    ready.erase(ready.begin());
    Item& item = items.at(leaf);
    ++applied;
    if (bad_refs.contains(leaf)) {
      refused.push_back({leaf, "BAD_REF", "it names a record that not all its readers may see"});
    } else {
      folder.Apply(item);
    }
    for (const Hash& next : followers[leaf]) {
      Item& follower = items.at(next);
      follower.past.insert(item.past.begin(), item.past.end());
      follower.past.insert(leaf);
      if (--missing[next] == 0) ready.insert({follower.body.hlc(), follower.entry->ref});
    }
  }
  Folded out = folder.Take();
  out.waiting = applied < items.size();
  out.refused.insert(out.refused.end(), refused.begin(), refused.end());
  return out;
}

void Record::FillRefs(const PartyId& self, const sync::Members& audience,
                      v1::EntryBody* body) const {
  std::map<PartyId, std::pair<uint64_t, const RecordEntry*>> newest;
  for (const RecordEntry& entry : entries_) {
    if (!std::includes(entry.audience->begin(), entry.audience->end(), audience.begin(),
                       audience.end())) {
      continue;
    }
    v1::EntryBody parsed;
    if (!parsed.ParseFromString(entry.body_bytes)) continue;
    auto& slot = newest[entry.author];
    if (slot.second == nullptr || parsed.hlc() > slot.first) slot = {parsed.hlc(), &entry};
  }
  for (const auto& [author, entry] : newest) {
    v1::Ref* ref = author == self ? body->mutable_own_prev() : body->add_based_on();
    ref->set_log_id(entry.second->ref.log.str());
    ref->set_index(entry.second->ref.index);
    ref->set_leaf(entry.second->ref.leaf.str());
  }
}

}  // namespace entente::model
