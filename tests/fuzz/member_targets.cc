// Everything behind the signatures: a member of the agreement seals, signs and sends what it likes,
// and a whole engine takes it; and what people of this node ask of it through the client API.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "crypto/box.h"
#include "crypto/entry_header.h"
#include "crypto/hash.h"
#include "crypto/parcel_seal.h"
#include "crypto/signing.h"
#include "entente/v1/client.pb.h"
#include "sync/box_keys.h"
#include "sync/mailbox.h"
#include "tests/fuzz/hostile_member.h"
#include "tests/fuzz/targets.h"

namespace entente::fuzz {
namespace {

std::shared_ptr<Victim> NewVictim() { return std::make_shared<Victim>(); }

v1::Frame ParsedFrame(const std::string& bytes) {
  v1::Frame frame;
  frame.ParseFromString(bytes);
  return frame;
}

std::vector<const google::protobuf::MethodDescriptor*> Methods() {
  std::vector<const google::protobuf::MethodDescriptor*> out;
  const google::protobuf::FileDescriptor* file = v1::GetStatusRequest::descriptor()->file();
  for (int i = 0; i < file->service_count(); ++i) {
    for (int j = 0; j < file->service(i)->method_count(); ++j) {
      out.push_back(file->service(i)->method(j));
    }
  }
  return out;
}

std::shared_ptr<google::protobuf::Message> NewRequest(
    const google::protobuf::MethodDescriptor* method) {
  return std::shared_ptr<google::protobuf::Message>(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(method->input_type())
          ->New());
}

std::string FullName(const google::protobuf::MethodDescriptor* method) {
  return "/" + method->service()->full_name() + "/" + method->name();
}

// u8 method | u8 role | request.
void RunCommand(Victim& victim, std::string_view bytes) {
  static const auto methods = Methods();
  if (bytes.size() < 2) return;
  const auto* method = methods[static_cast<unsigned char>(bytes[0]) % methods.size()];
  core::Command command;
  command.call = 1;
  command.caller = {"prosecutor", static_cast<v1::Role>(static_cast<unsigned char>(bytes[1]) %
                                                        v1::Role_ARRAYSIZE)};
  command.method = FullName(method);
  const auto request = NewRequest(method);
  if (!request->ParseFromArray(bytes.data() + 2, static_cast<int>(bytes.size() - 2))) return;
  command.request = request;
  const core::Effects effects = victim.Step(core::Input(std::move(command)));
  Promise(effects.answers.size() == 1, "a call that is not answered");
  const core::Answer& answer = effects.answers.front();
  Promise(answer.status.ok() == (answer.response != nullptr), "an answer that is none");
  Promise(answer.status.code() != absl::StatusCode::kInternal, "an internal error");
}

std::string CommandBytes(std::string_view name, const google::protobuf::Message& request) {
  const auto methods = Methods();
  for (size_t i = 0; i < methods.size(); ++i) {
    if (methods[i]->name() != ToStd(ToAbsl(name))) continue;
    return Cat(std::string(1, static_cast<char>(i)),
               std::string(1, static_cast<char>(v1::ROLE_JIT_LEADER)), request.SerializeAsString());
  }
  Promise(false, "no such method");
  return {};
}

std::vector<std::string> CommandSeeds() {
  std::vector<std::string> out;
  const auto methods = Methods();
  for (size_t i = 0; i < methods.size(); ++i) {
    out.push_back({static_cast<char>(i), static_cast<char>(v1::ROLE_JIT_LEADER)});
  }
  v1::AddNotesRequest note;
  note.add_texts("a note");
  note.add_audience("XA");
  out.push_back(CommandBytes("AddNotes", note));
  v1::AssignTaskRequest task;
  task.set_to("XA");
  task.mutable_task()->set_title("Bank data");
  task.mutable_task()->set_kind(v1::TASK_KIND_BANK_DATA);
  out.push_back(CommandBytes("AssignTask", task));
  v1::SuspendBodyRequest suspend;
  suspend.set_body("XC");
  suspend.set_reason("a reason");
  out.push_back(CommandBytes("SuspendBody", suspend));
  return out;
}

void SendEntry(Victim& victim, const v1::EntryBody& body) {
  victim.Offer([&](HostileLog& log) { return log.AppendSealed(body.SerializeAsString()); });
}

v1::EntryBody StatementBody(const Victim& victim, crypto::Purpose purpose, std::string_view payload,
                            uint64_t hlc) {
  v1::EntryBody body;
  body.set_hlc(hlc);
  v1::Statement* statement = body.mutable_statement();
  statement->set_purpose(std::string(crypto::PurposeName(purpose)));
  statement->set_payload(std::string(payload));
  statement->set_signer_card(victim.member_card_hash().str());
  statement->set_signature(
      crypto::SignStatement(victim.member_keys().statement, purpose, victim.jit(), payload).str());
  return body;
}

std::vector<v1::EntryBody> RealEntries(const Victim& victim) {
  std::vector<v1::EntryBody> out;
  for (const std::string& bytes : victim.entries()) out.emplace_back().ParseFromString(bytes);
  return out;
}

v1::BoxKeyNotice NoticeOf(const Victim& victim) {
  v1::BoxKeyNotice notice;
  notice.set_party(victim.member().str());
  notice.set_card(victim.member_card_hash().str());
  notice.set_seq(1);
  *notice.mutable_key() = victim.own_card().recovery_box_key();  // anybody's key will do
  notice.set_created(absl::ToUnixSeconds(victim.now()));
  return notice;
}

}  // namespace

// What the member announces about its reading key, well signed and made to be about its own card.
// With `y` in front the frame also claims to know a key of the node's.
Target BoxKeyInsideTarget() {
  auto victim = NewVictim();
  const std::string good = NoticeOf(*victim).SerializeAsString();
  return {{"n" + good, "y" + good}, [victim](std::string_view bytes) {
            v1::BoxKeyNotice notice;
            if (bytes.empty() || bytes.size() > 200'000 ||
                !notice.ParseFromArray(bytes.data() + 1, static_cast<int>(bytes.size() - 1))) {
              return;
            }
            notice.set_party(victim->member().str());
            notice.set_card(victim->member_card_hash().str());
            if (const auto key = BoxPublicKey::From(notice.key().public_key()); key.ok()) {
              notice.mutable_key()->set_id(crypto::BoxKeyId(*key).str());
            }
            v1::Frame frame;
            *frame.mutable_box_keys()->mutable_own() =
                sync::SignBoxKey(notice, victim->member_keys().statement);
            if (bytes[0] == 'y') {
              v1::KnownBoxKey* known = frame.mutable_box_keys()->mutable_yours();
              known->set_card(notice.card());
              known->set_seq(notice.seq());
              known->set_key_id(notice.key().id());
            }
            victim->Feed(std::move(frame));
            victim->Step(core::Input(sync::Input(sync::Tick{})));
            victim->MaybeStartOver();
          }};
}

Target CommandTarget() {
  auto victim = NewVictim();
  return {CommandSeeds(), [victim](std::string_view bytes) {
            RunCommand(*victim, bytes);
            victim->MaybeStartOver();
          }};
}

// The plaintext of an entry, well sealed and under a signed head.
Target EntryTarget() {
  auto victim = NewVictim();
  std::vector<std::string> seeds = victim->entries();
  v1::EntryBody body;
  body.set_hlc(uint64_t{1} << 50);
  body.mutable_anchor()->set_root(std::string(32, 'r'));
  body.mutable_anchor()->set_leaves(1024);
  seeds.push_back(body.SerializeAsString());
  v1::Grant* grant = body.mutable_grant();
  grant->set_log_id(victim->log().id().str());
  v1::TreeKey* key = grant->add_keys();
  key->set_epoch(1);
  key->set_key(std::string(32, 'k'));
  seeds.push_back(body.SerializeAsString());  // an epoch for a member
  key->set_depth(14);
  grant->add_entries()->set_header(std::string(crypto::kHeaderBytes, 'h'));
  grant->mutable_entries(0)->add_path(std::string(32, 'p'));
  grant->set_head_note("a head");
  seeds.push_back(body.SerializeAsString());  // originals
  return {seeds, [victim](std::string_view bytes) {
            if (bytes.size() > 200'000) return;
            victim->Offer([&](HostileLog& log) { return log.AppendSealed(bytes); });
          }};
}

// An epoch entry under a signed head.
Target EpochTarget() {
  auto victim = NewVictim();
  return {{victim->log().HonestEpoch().SerializeAsString()}, [victim](std::string_view bytes) {
            victim->Offer(
                [&](HostileLog& log) { return log.Append(crypto::kEpoch, std::string(bytes)); });
          }};
}

// The first frames of a stream. Only the real proof makes a session; with `y` in front it is added.
Target GreetingTarget() {
  auto victim = NewVictim();
  const std::string hello = victim->HelloBytes();
  victim->OpenSession();
  return {{"n" + hello, "y" + hello, "n" + victim->ProofBytes()}, [victim](std::string_view bytes) {
            if (bytes.empty()) return;
            const sync::SessionId session = victim->OpenSession();
            v1::Frame frame;
            if (!frame.ParseFromArray(bytes.data() + 1, static_cast<int>(bytes.size() - 1))) return;
            victim->Step(core::Input(sync::Input(sync::FrameReceived{session, frame})));
            if (bytes[0] == 'y') {
              victim->Step(core::Input(
                  sync::Input(sync::FrameReceived{session, ParsedFrame(victim->ProofBytes())})));
            }
            victim->MaybeStartOver();
          }};
}

// Any frame after the greeting.
Target MemberFrameTarget() {
  auto victim = NewVictim();
  std::vector<std::string> seeds;
  v1::Frame frame = HostileLog(victim->log()).AppendSealed(victim->entries().front());
  const v1::Head head = frame.batch().head();
  seeds.push_back(frame.SerializeAsString());
  *frame.mutable_heads()->add_heads() = head;
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_digests()->add_jits()->set_jit_id(victim->jit().str());
  frame.mutable_digests()->mutable_jits(0)->set_digest(std::string(32, 'd'));
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_want()->set_log_id(head.log_id());
  frame.mutable_want()->set_to(2);
  frame.mutable_want()->set_budget_bytes(1 << 20);
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_cosign()->set_log_id(head.log_id());
  frame.mutable_cosign()->set_size(1);
  frame.mutable_cosign()->set_cosignature("— x y\n");
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_fork()->set_log_id(head.log_id());
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_refused()->set_subject(head.log_id());
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_ping()->set_token(7);
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_want_chunks()->set_blob_id(std::string(32, 'b'));
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_chunk()->set_blob_id(std::string(32, 'b'));
  frame.mutable_chunk()->add_path(std::string(32, 'p'));
  seeds.push_back(frame.SerializeAsString());
  *frame.mutable_box_keys()->mutable_own() =
      sync::SignBoxKey(NoticeOf(*victim), victim->member_keys().statement);
  frame.mutable_box_keys()->mutable_yours()->set_card(std::string(32, 'c'));
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_card_alarm()->set_card_a(victim->member_card());
  frame.mutable_card_alarm()->set_card_b(victim->member_card());
  seeds.push_back(frame.SerializeAsString());
  frame.mutable_secret()->set_check(std::string(32, 's'));
  seeds.push_back(frame.SerializeAsString());
  return {seeds, [victim](std::string_view bytes) {
            v1::Frame any;
            if (!any.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
            victim->Feed(std::move(any));
            victim->MaybeStartOver();
          }};
}

// What a parcel carries: signed by its sender, sealed to this node.
Target ParcelInsideTarget() {
  auto victim = NewVictim();
  v1::ParcelBody body;
  body.set_from(victim->member().str());
  body.set_to(victim->own_keys().party.str());
  body.set_seq(1);
  body.set_sender_card(victim->member_card_hash().str());
  body.add_frames()->mutable_ping()->set_token(1);
  *body.add_frames() = HostileLog(victim->log()).AppendSealed(victim->entries().front());
  const auto mailboxes =
      sync::DeriveMailboxes(victim->member_keys().box, victim->member(),
                            victim->own_keys().box.public_key(), victim->own_keys().party);
  const MailboxId mailbox = mailboxes->outgoing.id;
  auto entropy = std::make_shared<SeededEntropy>(3);
  return {{body.SerializeAsString()}, [=](std::string_view bytes) {
            v1::SignedParcel parcel;
            parcel.set_body(std::string(bytes));
            parcel.set_signature(crypto::SignStatement(victim->member_keys().statement,
                                                       crypto::Purpose::parcel, JitId(),
                                                       crypto::Sha256(bytes).view())
                                     .str());
            const auto sealed = crypto::SealParcel(
                victim->own_keys().box.public_key(), victim->own_keys().box.id(),
                victim->own_keys().party, mailbox, parcel.SerializeAsString(), *entropy);
            if (!sealed.ok()) return;
            victim->Step(core::Input(sync::Input(sync::ParcelReceived{*sealed})));
            // Sealed, but nobody's: the same bytes in place of the signed envelope.
            const auto bare =
                crypto::SealParcel(victim->own_keys().box.public_key(), victim->own_keys().box.id(),
                                   victim->own_keys().party, mailbox, bytes, *entropy);
            victim->Step(core::Input(sync::Input(sync::ParcelReceived{*bare})));
            victim->MaybeStartOver();
          }};
}

Target ProposalTarget() {
  auto victim = NewVictim();
  std::vector<std::string> seeds;
  for (const v1::EntryBody& body : RealEntries(*victim)) {
    if (body.change_case() == v1::EntryBody::kProposal) seeds.push_back(body.proposal());
  }
  Promise(!seeds.empty(), "no proposal to start from");
  auto hlc = std::make_shared<uint64_t>(uint64_t{1} << 50);
  return {seeds, [victim, hlc](std::string_view bytes) {
            if (bytes.size() > 200'000) return;
            v1::EntryBody body;
            body.set_hlc(++*hlc);
            body.set_proposal(std::string(bytes));
            SendEntry(*victim, body);
          }};
}

// Bytes in the place of a sealed body, under a signed head.
Target SealedBodyTarget() {
  auto victim = NewVictim();
  v1::Frame good = HostileLog(victim->log()).AppendSealed(victim->entries().front());
  return {{good.batch().entries(0).body()}, [victim](std::string_view bytes) {
            victim->Offer(
                [&](HostileLog& log) { return log.Append(crypto::kSealed, std::string(bytes)); });
          }};
}

// u8 purpose | payload, signed by the member's statement key.
Target StatementTarget() {
  auto victim = NewVictim();
  const std::vector<crypto::Purpose> purposes = {
      crypto::Purpose::sign,    crypto::Purpose::refuse,    crypto::Purpose::confirm,
      crypto::Purpose::exclude, crypto::Purpose::suspend,   crypto::Purpose::erase,
      crypto::Purpose::export_, crypto::Purpose::destroyed, crypto::Purpose::card};
  v1::Exclusion exclusion;
  exclusion.set_party(victim->own_keys().party.str());
  exclusion.set_reason("a reason");
  exclusion.set_agreement(std::string(32, 'v'));
  v1::Seen* seen = exclusion.add_finals();
  seen->set_log_id(victim->log().id().str());
  seen->set_root(std::string(32, 'r'));
  const std::string payload = exclusion.SerializeAsString();
  auto hlc = std::make_shared<uint64_t>(uint64_t{1} << 50);
  return {{Cat("\x03", payload), Cat("\x04", payload), std::string(33, '\0'),
           Cat("\x01", std::string(32, 'p'), "a reason")},
          [=](std::string_view bytes) {
            if (bytes.empty() || bytes.size() > 200'000) return;
            const auto purpose = purposes[static_cast<unsigned char>(bytes[0]) % purposes.size()];
            SendEntry(*victim, StatementBody(*victim, purpose, bytes.substr(1), ++*hlc));
          }};
}

}  // namespace entente::fuzz
