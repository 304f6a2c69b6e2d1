// Nothing opens before every party has signed, and nothing stays open after the end.
#include <string>

#include "tests/node/core/core_test.h"

namespace entente::core {
namespace {

class AgreementCommandsTest : public CoreTest {
 protected:
  AgreementCommandsTest() : CoreTest(/*open_jit=*/false) { world_.RunFor(absl::Seconds(5)); }

  v1::ProposeAgreementRequest Proposal() {
    v1::ProposeAgreementRequest out;
    v1::Agreement& agreement = *out.mutable_agreement();
    agreement.set_code_name("LANTERN");
    agreement.set_purpose("Trafficking in human beings");
    agreement.add_legal_bases(v1::LEGAL_BASIS_FD2002_465);
    for (const char* code : {"XA", "XB", "XC"}) {
      agreement.add_bodies()->set_code(code);
      v1::AgreementPerson* leader = agreement.add_leaders();
      leader->set_party(code);
      leader->set_user(std::string("Leader of ") + code);
    }
    v1::AgreementPerson* admin = agreement.add_space_administrators();
    admin->set_party("XA");
    admin->set_user("Leader of XA");
    agreement.set_period_from(absl::ToUnixSeconds(world_.now() - absl::Hours(1)));
    agreement.set_period_to(absl::ToUnixSeconds(world_.now() + absl::Hours(6)));
    return out;
  }
  absl::Status Propose(const v1::ProposeAgreementRequest& request) {
    return Call<v1::ProposeAgreementResponse>("XA", "AgreementService/ProposeAgreement", request)
        .status();
  }
  absl::Status Sign(const std::string& code) {
    return Call<v1::SignAgreementResponse>(code, "AgreementService/SignAgreement",
                                           v1::SignAgreementRequest())
        .status();
  }
  absl::Status Note(const std::string& code) {
    v1::AddNotesRequest request;
    request.add_texts("a note");
    return Call<v1::AddNotesResponse>(code, "RecordService/AddNotes", request).status();
  }
  std::string State(const std::string& code) {
    const auto list = Call<v1::ListAgreementsResponse>(code, "AgreementService/ListAgreements",
                                                       v1::ListAgreementsRequest());
    return list.ok() && list->agreements_size() > 0 ? list->agreements(0).state() : "";
  }
};

TEST_F(AgreementCommandsTest, NothingOpensBeforeEveryPartyHasSigned) {
  EXPECT_FALSE(Note("XA").ok());
  ASSERT_OK(Propose(Proposal()));
  Settle();
  for (const char* code : {"XA", "XB"}) {
    ASSERT_OK(Sign(code));
    Settle();
    EXPECT_REFUSED(Note("XA"), kPermissionDenied, "NOT_IN_FORCE");
  }
  ASSERT_OK(Sign("XC"));
  Settle();
  for (const char* code : {"XA", "XB", "XC"}) EXPECT_OK(Note(code)) << code;
}

TEST_F(AgreementCommandsTest, ABodyThatIsNotAPartySeesAndSignsNothing) {
  ASSERT_OK(Propose(Proposal()));
  Settle();
  EXPECT_EQ(State("EJ"), "");
  EXPECT_FALSE(Sign("EJ").ok());
}

TEST_F(AgreementCommandsTest, SigningTwiceIsSaidToBeSo) {
  ASSERT_OK(Propose(Proposal()));
  ASSERT_OK(Sign("XA"));
  EXPECT_FALSE(Sign("XA").ok());
}

TEST_F(AgreementCommandsTest, ARejectionClosesTheProposalForAll) {
  ASSERT_OK(Propose(Proposal()));
  Settle();
  v1::RejectAgreementRequest no;
  no.set_reason("the period is too long");
  ASSERT_OK(Call<v1::RejectAgreementResponse>("XB", "AgreementService/RejectAgreement", no));
  Settle();
  for (const char* code : {"XA", "XC"}) {
    const auto list = Call<v1::ListAgreementsResponse>(code, "AgreementService/ListAgreements",
                                                       v1::ListAgreementsRequest());
    ASSERT_OK(list);
    bool told = false;
    for (const v1::SignerState& signer : list->agreements(0).signers()) {
      told = told || (signer.code() == "XB" && signer.reason() == "the period is too long");
    }
    EXPECT_TRUE(told) << code;
  }
  EXPECT_FALSE(Note("XA").ok());
}

TEST_F(AgreementCommandsTest, AfterTheEndNothingNewIsWrittenAndWhatIsThereStaysReadable) {
  ASSERT_OK(Propose(Proposal()));
  Settle();
  for (const char* code : {"XA", "XB", "XC"}) ASSERT_OK(Sign(code));
  Settle();
  ASSERT_OK(Note("XA"));
  world_.RunFor(absl::Hours(7));
  EXPECT_FALSE(Note("XA").ok());
  const auto notes =
      Call<v1::ListNotesResponse>("XA", "RecordService/ListNotes", v1::ListNotesRequest());
  ASSERT_OK(notes);
  EXPECT_EQ(notes->records_size(), 1);
}

TEST_F(AgreementCommandsTest, AnUnknownBodyOrBadPeriodIsRefusedBeforeAnythingIsWritten) {
  v1::ProposeAgreementRequest unknown = Proposal();
  unknown.mutable_agreement()->add_bodies()->set_code("XQ");
  EXPECT_FALSE(Propose(unknown).ok());
  v1::ProposeAgreementRequest backwards = Proposal();
  backwards.mutable_agreement()->set_period_to(1);
  EXPECT_REFUSED(Propose(backwards), kInvalidArgument, "BAD_PERIOD");
  EXPECT_EQ(State("XA"), "");
}

TEST_F(AgreementCommandsTest, TheSameProposalSentTwiceIsOne) {
  v1::ProposeAgreementRequest request = Proposal();
  request.set_idempotency_key("key-1");
  const auto one =
      Call<v1::ProposeAgreementResponse>("XA", "AgreementService/ProposeAgreement", request);
  const auto two =
      Call<v1::ProposeAgreementResponse>("XA", "AgreementService/ProposeAgreement", request);
  ASSERT_OK(one);
  ASSERT_OK(two);
  EXPECT_EQ(one->proposal(), two->proposal());
}

}  // namespace
}  // namespace entente::core
