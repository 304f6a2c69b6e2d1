// The chain of custody: what people record, what is answered, and what a new reader gets of it.
#include <string>
#include <vector>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class CustodyCommandsTest : public CoreTest {
 protected:
  absl::StatusOr<std::string> Add(const std::vector<std::string>& audience, bool with_file = true) {
    v1::AddEvidenceRequest request;
    request.mutable_item()->set_title("Suitcase of Pier Nine");
    request.mutable_item()->set_kind(v1::EVIDENCE_KIND_PHYSICAL);
    request.mutable_item()->set_measure("search of 3 March");
    for (const std::string& body : audience) request.add_audience(body);
    std::vector<UploadedFile> files;
    if (with_file) files.push_back(world_.Upload(node("XA"), "photo.jpg", "a photo"));
    const auto added =
        Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request, files);
    if (!added.ok()) return added.status();
    return added->record().ref();
  }
  v1::RecordCustodyRequest Event(const std::string& ref, v1::CustodyEventKind kind) {
    v1::RecordCustodyRequest request;
    request.set_record(ref);
    request.set_kind(kind);
    return request;
  }
  absl::StatusOr<v1::RecordView> Record(const std::string& who,
                                        const v1::RecordCustodyRequest& request) {
    auto done = Call<v1::RecordCustodyResponse>(who, "EvidenceService/RecordCustody", request);
    if (!done.ok()) return done.status();
    return done->record();
  }
  void Release(const std::string& ref, const std::string& to) {
    v1::ReleaseEvidenceRequest request;
    request.add_records(ref);
    request.add_to(to);
    EXPECT_OK(Call<v1::ReleaseEvidenceResponse>("XA", "EvidenceService/ReleaseEvidence", request));
    Settle();
  }
  std::vector<v1::CustodyView> Custody(const std::string& who, const std::string& ref,
                                       const std::string& kind) {
    v1::ShowEvidenceRequest request;
    request.set_record(ref);
    const auto shown = Call<v1::ShowEvidenceResponse>(who, "EvidenceService/ShowEvidence", request);
    std::vector<v1::CustodyView> out;
    if (!shown.ok()) return out;
    for (const v1::CustodyView& event : shown->record().custody()) {
      if (event.kind() == kind) out.push_back(event);
    }
    return out;
  }
};

TEST_F(CustodyCommandsTest, WhatSomebodyRecordsAllReadersSee) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  Settle();
  v1::RecordCustodyRequest request = Event(*ref, v1::CUSTODY_EVENT_KIND_EXAMINED);
  request.set_time(absl::ToUnixSeconds(node("XB").LocalTime() - absl::Hours(3)));
  request.set_actor("Dr Vale");
  request.set_place("Institute for Forensic Science");
  request.set_instrument("write blocker 12");
  request.set_purpose("traces of explosives");
  request.set_file_name("photo.jpg");
  ASSERT_OK(Record("XB", request));
  Settle();
  for (const char* who : {"XA", "XB"}) {
    const auto events = Custody(who, *ref, "EXAMINED");
    ASSERT_EQ(events.size(), 1u) << who;
    EXPECT_EQ(events[0].body(), "XB");
    EXPECT_EQ(events[0].actor(), "Dr Vale");
    EXPECT_EQ(events[0].time(), request.time());
    EXPECT_EQ(events[0].place(), "Institute for Forensic Science");
    EXPECT_EQ(events[0].instrument(), "write blocker 12");
    EXPECT_EQ(events[0].file_name(), "photo.jpg");
    EXPECT_EQ(events[0].sha256().size(), 64u);
  }
  EXPECT_TRUE(Custody("XC", *ref, "EXAMINED").empty());
}

TEST_F(CustodyCommandsTest, AnExhibitWithoutAFileIsAnsweredByAPerson) {
  const auto ref = Add({"XB"}, /*with_file=*/false);
  ASSERT_OK(ref);
  Settle();
  Release(*ref, "XC");
  ASSERT_EQ(Custody("XA", *ref, "RELEASED_TO").size(), 1u);
  EXPECT_FALSE(Custody("XA", *ref, "RELEASED_TO")[0].answered());
  v1::RecordCustodyRequest arrived = Event(*ref, v1::CUSTODY_EVENT_KIND_RECEIVED_BY);
  arrived.set_purpose("seal 4711 unbroken");
  ASSERT_OK(Record("XC", arrived));
  Settle();
  EXPECT_TRUE(Custody("XA", *ref, "RELEASED_TO")[0].answered());
  const auto received = Custody("XA", *ref, "RECEIVED_BY");
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0].from(), "XA");
  EXPECT_EQ(received[0].answers(), Custody("XA", *ref, "RELEASED_TO")[0].entry());
  EXPECT_REFUSED(Record("XA", arrived), kFailedPrecondition, "NOT_HANDED_OVER");
}

// Nobody can take back what was recorded; only its own body can put it right.
TEST_F(CustodyCommandsTest, ACorrectionStandsBesideWhatItCorrects) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  v1::RecordCustodyRequest wrong = Event(*ref, v1::CUSTODY_EVENT_KIND_SEALED);
  wrong.set_instrument("seal 4711");
  ASSERT_OK(Record("XA", wrong));
  const std::string entry = Custody("XA", *ref, "SEALED")[0].entry();
  v1::RecordCustodyRequest right = wrong;
  right.set_instrument("seal 4712");
  right.set_corrects(entry);
  ASSERT_OK(Record("XA", right));
  Settle();
  const auto seals = Custody("XB", *ref, "SEALED");
  ASSERT_EQ(seals.size(), 2u);
  EXPECT_TRUE(seals[0].corrected());
  EXPECT_EQ(seals[0].instrument(), "seal 4711");
  EXPECT_EQ(seals[1].corrects(), entry);
  EXPECT_FALSE(seals[1].corrected());
  EXPECT_REFUSED(Record("XB", right), kPermissionDenied, "NOT_AUTHOR");
  right.set_corrects(std::string(64, 'a'));
  EXPECT_REFUSED(Record("XA", right), kNotFound, "NOT_HERE");
  right.set_corrects("the third one");
  EXPECT_REFUSED(Record("XA", right), kInvalidArgument, "BAD_VALUE");
}

TEST_F(CustodyCommandsTest, ANewReaderGetsTheChainFromItsBeginningAsTheOwnersWord) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  Settle();
  v1::RecordCustodyRequest sealed = Event(*ref, v1::CUSTODY_EVENT_KIND_SEALED);
  sealed.set_place("Evidence room 4");
  ASSERT_OK(Record("XA", sealed));
  ASSERT_OK(Record("XB", Event(*ref, v1::CUSTODY_EVENT_KIND_EXAMINED)));
  Settle();
  Release(*ref, "XC");
  const auto seals = Custody("XC", *ref, "SEALED");
  ASSERT_EQ(seals.size(), 1u);
  EXPECT_EQ(seals[0].body(), "XA");
  EXPECT_EQ(seals[0].actor(), "prosecutor");
  EXPECT_EQ(seals[0].place(), "Evidence room 4");
  // What others did, they told those who could read it then.
  EXPECT_TRUE(Custody("XC", *ref, "EXAMINED").empty());
  EXPECT_EQ(Custody("XA", *ref, "SEALED").size(), 1u);
  EXPECT_EQ(Custody("XB", *ref, "SEALED").size(), 1u);
}

TEST_F(CustodyCommandsTest, TheOwnerLearnsWhoOfAnotherBodyOpenedAFile) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  Settle();
  v1::DownloadFileRequest open;
  open.set_record(*ref);
  const auto file = Call<v1::FileRef>("XB", "FileService/DownloadFile", open);
  ASSERT_OK(file);
  EXPECT_EQ(file->name(), "photo.jpg");
  ASSERT_OK(Call<v1::FileRef>("XB", "FileService/DownloadFile", open));  // within the hour
  Settle();
  auto opened = Custody("XA", *ref, "ACCESSED");
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(opened[0].body(), "XB");
  EXPECT_EQ(opened[0].actor(), "prosecutor");
  EXPECT_EQ(opened[0].file_name(), "photo.jpg");
  world_.RunFor(absl::Hours(2));
  ASSERT_OK(Call<v1::FileRef>("XB", "FileService/DownloadFile", open));
  // An own file is opened without a word to others.
  ASSERT_OK(Call<v1::FileRef>("XA", "FileService/DownloadFile", open));
  Settle();
  opened = Custody("XA", *ref, "ACCESSED");
  EXPECT_EQ(opened.size(), 2u);
  EXPECT_REFUSED(Call<v1::FileRef>("XC", "FileService/DownloadFile", open), kNotFound, "NOT_HERE");
  EXPECT_EQ(Custody("XB", *ref, "ACCESSED").size(), 2u);
}

// A fact that was wrong reaches everybody who has the item, and each takes note (scenario 27).
TEST_F(CustodyCommandsTest, ACorrectionReachesEveryReaderAndWaitsForTheirNote) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  Settle();
  Release(*ref, "XC");
  v1::CorrectEvidenceRequest request;
  request.set_record(*ref);
  request.mutable_item()->set_exhibit_no("PN/2");
  request.set_reason("wrong label");
  EXPECT_REFUSED(
      Call<v1::CorrectEvidenceResponse>("XB", "EvidenceService/CorrectEvidence", request),
      kPermissionDenied, "NOT_OWNER");
  ASSERT_OK(Call<v1::CorrectEvidenceResponse>("XA", "EvidenceService/CorrectEvidence", request));
  Settle();
  for (const char* who : {"XA", "XB", "XC"}) {
    const v1::RecordView view = Show(who, *ref);
    EXPECT_EQ(view.evidence().exhibit_no(), "PN/2") << who;
    ASSERT_EQ(view.corrections_size(), 1) << who;
    EXPECT_EQ(view.corrections(0).reason(), "wrong label");
    EXPECT_EQ(view.corrections(0).fields(0), "exhibit no");
    EXPECT_TRUE(view.corrections(0).noted_by().empty());
    EXPECT_EQ(view.corrections(0).waiting_for_size(), 2);
  }
  v1::NoteCorrectionsRequest note;
  note.set_record(*ref);
  const auto noted =
      Call<v1::NoteCorrectionsResponse>("XC", "EvidenceService/NoteCorrections", note);
  ASSERT_OK(noted);
  EXPECT_EQ(noted->noted(), 1u);
  EXPECT_EQ(
      Call<v1::NoteCorrectionsResponse>("XC", "EvidenceService/NoteCorrections", note)->noted(),
      0u);
  EXPECT_EQ(
      Call<v1::NoteCorrectionsResponse>("XA", "EvidenceService/NoteCorrections", note)->noted(),
      0u);
  Settle();
  const v1::RecordView view = Show("XA", *ref);
  ASSERT_EQ(view.corrections(0).noted_by_size(), 1);
  EXPECT_EQ(view.corrections(0).noted_by(0), "XC");
  EXPECT_EQ(view.corrections(0).waiting_for(0), "XB");
}

TEST_F(CustodyCommandsTest, ACorrectionSaysWhyAndWhatAndLeavesAValidItem) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  v1::CorrectEvidenceRequest request;
  request.set_record(*ref);
  const auto correct = [&] {
    return Call<v1::CorrectEvidenceResponse>("XA", "EvidenceService/CorrectEvidence", request);
  };
  request.set_reason("because");
  EXPECT_REFUSED(correct(), kInvalidArgument, "what is right instead");
  request.add_clear("colour");
  EXPECT_REFUSED(correct(), kInvalidArgument, "colour");
  request.set_clear(0, "measure");  // an item must say how it was obtained
  EXPECT_REFUSED(correct(), kInvalidArgument, "measure");
  request.set_clear(0, "exhibit-no");
  request.set_reason("");
  EXPECT_REFUSED(correct(), kInvalidArgument, "say why");
  request.set_reason("it has none");
  ASSERT_OK(correct());
  EXPECT_EQ(Show("XA", *ref).evidence().exhibit_no(), "");
}

// Contested evidence is restricted, not erased (scenario 28).
TEST_F(CustodyCommandsTest, WhatIsRestrictedCanBeReadAndGoesToNobodyElse) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  Settle();
  v1::RestrictEvidenceRequest request;
  request.set_record(*ref);
  request.set_reason("accuracy contested");
  const auto restrict = [&](const std::string& who) {
    return Call<v1::RestrictEvidenceResponse>(who, "EvidenceService/RestrictEvidence", request);
  };
  EXPECT_REFUSED(restrict("XB"), kPermissionDenied, "NOT_OWNER");
  ASSERT_OK(restrict("XA"));
  EXPECT_REFUSED(restrict("XA"), kFailedPrecondition, "BAD_STATE");
  Settle();
  EXPECT_EQ(Show("XB", *ref).state(), "RESTRICTED");
  v1::DownloadFileRequest open;
  open.set_record(*ref);
  EXPECT_OK(Call<v1::FileRef>("XB", "FileService/DownloadFile", open));
  v1::ReleaseEvidenceRequest release;
  release.add_records(*ref);
  release.add_to("XC");
  const auto hand_over = [&] {
    return Call<v1::ReleaseEvidenceResponse>("XA", "EvidenceService/ReleaseEvidence", release);
  };
  EXPECT_REFUSED(hand_over(), kPermissionDenied, "RESTRICTED");
  request.set_lift(true);
  request.set_reason("the court has confirmed it");
  ASSERT_OK(restrict("XA"));
  EXPECT_EQ(Show("XA", *ref).state(), "REGISTERED");
  ASSERT_OK(hand_over());
  request.set_lift(false);
  ASSERT_OK(restrict("XA"));
  request.set_lift(true);
  ASSERT_OK(restrict("XA"));
  EXPECT_EQ(Show("XA", *ref).state(), "RELEASED");
}

TEST_F(CustodyCommandsTest, WhatDerivesFromAnItemIsHandledAtLeastAsCarefully) {
  v1::AddEvidenceRequest request;
  request.mutable_item()->set_title("Telephone");
  request.mutable_item()->set_kind(v1::EVIDENCE_KIND_DEVICE);
  request.mutable_item()->set_measure("search");
  request.mutable_item()->set_handling(v1::HANDLING_CODE_H2);
  const auto device = Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request);
  ASSERT_OK(device);
  request.mutable_item()->set_title("Image of the telephone");
  request.mutable_item()->set_handling(v1::HANDLING_CODE_H0);
  request.add_parents(device->record().ref());
  const auto image = Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request);
  ASSERT_OK(image);
  EXPECT_EQ(image->record().evidence().handling(), v1::HANDLING_CODE_H2);
  request.mutable_item()->set_handling(v1::HANDLING_CODE_H3);
  const auto report = Call<v1::AddEvidenceResponse>("XA", "EvidenceService/AddEvidence", request);
  ASSERT_OK(report);
  EXPECT_EQ(report->record().evidence().handling(), v1::HANDLING_CODE_H3);
}

TEST_F(CustodyCommandsTest, WhatIsWrongIsNamed) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  Settle();
  for (const auto kind : {v1::CUSTODY_EVENT_KIND_UNSPECIFIED, v1::CUSTODY_EVENT_KIND_RELEASED_TO,
                          v1::CUSTODY_EVENT_KIND_REGISTERED}) {
    EXPECT_REFUSED(Record("XA", Event(*ref, kind)), kInvalidArgument, "BAD_VALUE");
  }
  v1::RecordCustodyRequest request = Event(*ref, v1::CUSTODY_EVENT_KIND_MOVED);
  request.set_time(absl::ToUnixSeconds(world_.now() + absl::Hours(48)));
  EXPECT_REFUSED(Record("XA", request), kInvalidArgument, "still to come");
  request = Event(*ref, v1::CUSTODY_EVENT_KIND_HASHED);
  request.set_file_name("video.mp4");
  EXPECT_REFUSED(Record("XA", request), kNotFound, "NO_FILE");
  request = Event(*ref, v1::CUSTODY_EVENT_KIND_NOTE);
  request.set_purpose("a\u202Eb");
  EXPECT_REFUSED(Record("XA", request), kInvalidArgument, "");
  EXPECT_REFUSED(Record("XC", Event(*ref, v1::CUSTODY_EVENT_KIND_NOTE)), kNotFound, "NOT_HERE");
}

TEST_F(CustodyCommandsTest, TheSameRequestTwiceIsOneEvent) {
  const auto ref = Add({"XB"});
  ASSERT_OK(ref);
  v1::RecordCustodyRequest request = Event(*ref, v1::CUSTODY_EVENT_KIND_MOVED);
  request.set_idempotency_key("one click");
  ASSERT_OK(Record("XA", request));
  ASSERT_OK(Record("XA", request));
  EXPECT_EQ(Custody("XA", *ref, "MOVED").size(), 1u);
}

}  // namespace
}  // namespace entente::core
