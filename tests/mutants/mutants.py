"""The planted bugs: what each breaks, where, and the one place in the code that it alters."""

from typing import NamedTuple


class Mutant(NamedTuple):
    name: str
    bug: str
    file: str
    old: str
    new: str
    start: int = 1  # the first seed tried
    workload: str = ""  # of all seeds; drawn when empty


MUTANTS = [
    # ---- what is let in
    Mutant("head-signature", "a head counts without its author's signature", "crypto/note.cc",
           """    if (absl::Status s = Verify(log_key, text, std::string_view(line->blob).substr(4)); !s.ok()) {
      return s;
    }
    verified = true;""", "    verified = true;"),
    Mutant("root", "entries are kept that do not add up to the signed root", "sync/admission.cc",
           "if (!tree.AppendRange(*given).ok() || *tree.Root() != head->root) {",
           "if (!tree.AppendRange(*given).ok()) {"),
    Mutant("epoch-slots", "an epoch without every member's slots is taken", "sync/epoch.cc",
           'if (ids.size() != 2) return Incomplete("a member lacks its reading or recovery slot");',
           ""),
    Mutant("epoch-audience", "an epoch for another audience than the log's is taken",
           "sync/epoch.cc",
           'return Incomplete("its slots are not those of the log\'s audience");',
           "static_cast<void>(0);"),
    Mutant("audience-sender", "a log is taken from, and given by, bodies outside its audience",
           "sync/admission.cc",
           "if (!parsed.members.contains(context_.self) || !parsed.members.contains(sender)) {",
           "if (parsed.members.empty()) {"),
    Mutant("budget", "logs grow without bound before any agreement is in force",
           "sync/exchange.cc",
           "return hooks_.agreement_in_force(jit) ? UINT64_MAX : kEntriesBeforeAgreement;",
           "return hooks_.agreement_in_force(jit) ? UINT64_MAX : UINT64_MAX;",
           start=41),
    Mutant("after-exclusion", "entries behind the end of an excluded body's log are taken",
           "sync/admission.cc", "if (end > context_.exclusions->FinalSize(*log)) {",
           "if (end > UINT64_MAX - 1) {",
           workload="traitor"),
    Mutant("final-size", "what an excluded body signed late keeps its effect", "sync/exclusion.cc",
           "  const bool stated = about->finals.contains(log.id) || claims.contains(self_);",
           "  if (log.size > 0) return UINT64_MAX;\n"
           "  const bool stated = about->finals.contains(log.id) || claims.contains(self_);",
           workload="traitor"),
    Mutant("forged-receipt", "a receipt counts without its signature", "sync/exchange.cc",
           "  if (!*holds) {", "  if (cosign.cosignature().empty()) {",
           start=41),
    Mutant("parcel-signature", "a parcel counts without its sender's signature", "sync/parcels.cc",
           "  if (!signs(*signer)) return Forged();",
           "  if (parcel.signature().empty()) return Forged();"),
    Mutant("greeting", "a peer need not prove that it holds its keys", "sync/handshake.cc",
           "  const TrustedCard& own = *context.cards.Find(context.self);\n"
           "  return crypto::VerifyStatement(",
           "  const TrustedCard& own = *context.cards.Find(context.self);\n"
           "  if (!proof.signature().empty()) return absl::OkStatus();\n"
           "  return crypto::VerifyStatement("),
    # ---- what is given out
    Mutant("audience-widened", "an entry is sealed to every known body", "sync/log_writer.cc",
           "    const absl::StatusOr<LogState*> own = LogFor(draft.jit, draft.audience);",
           "    Members wide = draft.audience;\n"
           "    for (const auto& [party, card] : context_.cards.all()) wide.insert(party);\n"
           "    const absl::StatusOr<LogState*> own = LogFor(draft.jit, wide);"),
    Mutant("existence", "logs are listed to bodies outside their audience", "sync/exchange.h",
           "return log.size > 0 && context_.Shares(log, peer);",
           "return log.size > 0 && (context_.Shares(log, peer) || peer != context_.self);"),
    Mutant("served-to-all", "a log is served to whoever knows its id", "sync/exchange.cc",
           "if (log == nullptr || !Shared(*log, link.peer) || want.from() > log->size) {",
           "if (log == nullptr || want.from() > log->size) {"),
    Mutant("telling-refusal", "\"not for you\" is answered otherwise than \"not there\"",
           "sync/exchange.cc",
           'Refuse(link, {v1::REFUSAL_CODE_NOT_HERE, "asked for a log it is not in the audience '
           'of"},\n           want.log_id(), want.from(), now);',
           "Refuse(link,\n           {log == nullptr ? v1::REFUSAL_CODE_NOT_HERE : "
           'v1::REFUSAL_CODE_BAD_AUDIENCE, "refused"},\n           want.log_id(), want.from(), '
           "now);"),
    Mutant("file-for-all", "a file is served to whoever knows its id", "sync/blob_sync.cc",
           "                     Allows(it->second, link.peer) &&\n", "",
           start=53),
    Mutant("writes-to-stopped", "an excluded body is still written to", "sync/exclusion.cc",
           "  if (about->excluded || about->signed_by.contains(self_)) return true;",
           "  if (about->excluded && about->signed_by.empty()) return true;",
           workload="exclusion"),
    # ---- forks and rollback
    Mutant("no-anchor", "heads leave without a record outside the database",
           "sync/log_writer.cc",
           "  effects->anchors.push_back({log.id, log.incarnation, log.size, root});",
           "  if (log.size == 0) effects->anchors.push_back({log.id, 0, log.size, root});"),
    Mutant("rollback-unnoticed", "a database behind its anchor goes on in its old logs",
           "sync/replica.cc", "  if (behind) ++incarnation;",
           "  if (behind && anchor_missing) ++incarnation;"),
    Mutant("fork-unproven", "two contradicting heads never become a proof", "sync/fork_watch.cc",
           "  if (log.fork.has_value() || log.size != log.head_size || log.head_note.empty()) "
           "return;",
           "  if (!log.fork.has_value() || log.head_note.empty()) return;"),
    Mutant("fork-kept-secret", "a fork proof is not passed on", "sync/fork_watch.cc",
           "    if (context_.Shares(log, link->peer)) Send(*link, log, proof);",
           "    if (!context_.Shares(log, link->peer)) Send(*link, log, proof);"),
    Mutant("fork-tail-counts", "the disputed tail of a forked log keeps its effect",
           "sync/observations.h",
           "return log.fork.has_value() ? StableSize(log) : UINT64_MAX;",
           "return log.fork.has_value() ? log.size : UINT64_MAX;"),
    Mutant("stable-alone", "one member's word makes a prefix stable", "sync/observations.cc",
           "    stable = std::min(stable, HeldBy(log, member));",
           "    stable = std::min(stable, std::max(HeldBy(log, member), log.size));"),
    # ---- durability
    Mutant("lost-entry", "every seventh entry is not written", "sync/log_book.cc",
           "  store_.Put(schema::Entry(log.id, log.size), EncodeEntry(type, epoch, leaf, body));",
           "  if (log.size % 7 != 6) {\n"
           "    store_.Put(schema::Entry(log.id, log.size), EncodeEntry(type, epoch, leaf, body));"
           "\n  }"),
    Mutant("receipt-before-store", "a receipt covers more than is held", "sync/exchange.cc",
           "    own.size = log.size;", "    own.size = log.head_size + 1;"),
    Mutant("unsaved-log", "what was admitted is acknowledged and not recorded",
           "sync/exchange.cc",
           "    if (absl::Status s = hooks_.grown(log); !s.ok()) return s;\n"
           "    context_.logs.Save(log);",
           "    if (absl::Status s = hooks_.grown(log); !s.ok()) return s;"),
    # ---- agreements
    Mutant("in-force-early", "one Confirm brings a version into force", "sync/agreement.cc",
           "  return validity.ok() && anybody && std::all_of(signers.begin(), signers.end(), "
           "[](const auto& s) {",
           "  return validity.ok() && anybody && std::any_of(signers.begin(), signers.end(), "
           "[](const auto& s) {",
           start=2),
    Mutant("exclusion-by-one", "one signature excludes a party", "sync/exclusion.cc",
           "    if (required.size() >= 2 && std::all_of(required.begin(), required.end(), "
           "has_signed)) {",
           "    if (required.size() >= 2 && std::any_of(required.begin(), required.end(), "
           "has_signed)) {",
           start=2),
    # ---- records
    Mutant("leaking-reference", "an entry may name what not all its readers may see",
           "node/model/fold.cc", "        bad_refs.insert(leaf);\n        continue;",
           "        continue;",
           start=4),
    Mutant("out-of-period", "what was made after the agreement's end has effect",
           "node/model/fold.cc",
           "    if (seconds < agreement->period_from() || seconds >= agreement->period_to()) {",
           "    if (seconds < agreement->period_from()) {"),
    Mutant("not-the-owner", "anybody releases a record", "node/model/fold.cc",
           "    if (out_.exists && item.entry->author != out_.owner) {",
           "    if (out_.exists && item.entry->author == PartyId()) {",
           start=4),
    Mutant("arrival-order", "records depend on the order of arrival", "node/model/fold.cc",
           "    if (open == 0) ready.insert({item.body.hlc(), item.entry->ref});",
           "    if (open == 0) {\n"
           "      sync::EntryRef at = item.entry->ref;\n"
           "      at.index = static_cast<uint64_t>(item.entry - entries_.data());\n"
           "      ready.insert({0, at});\n    }"),
    Mutant("any-mover", "any body moves a record", "node/model/fold.cc",
           "    const v1::TransitionRule* rule = rules.Rule(step.from(), step.to(), side);",
           "    const v1::TransitionRule* rule = rules.Rule(step.from(), step.to(), side);\n"
           "    if (rule == nullptr) rule = rules.Rule(step.from(), step.to(), Side::kOwner);",
           start=4),
    Mutant("record-id", "anybody opens a record under an id of another's",
           "node/model/record_id.cc",
           "         body.record_id() == RecordIdOf(jit, body.kind(), author, key).view();",
           "         (body.record_id() == RecordIdOf(jit, body.kind(), author, key).view() ||\n"
           "          !body.record_id().empty());",
           start=4),
    Mutant("repeated-command", "a command repeated after a crash is done twice",
           "node/core/record_commands.cc", "  if (!response.refs().empty()) return response;\n",
           ""),
]
