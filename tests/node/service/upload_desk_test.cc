// Uploads wait for the evidence that names them: for their own user, for an hour, used once.
#include "node/service/upload_desk.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_testing.h"

namespace entente::service {
namespace {

class UploadDeskTest : public testing::Test {
 protected:
  std::string Put(const std::string& user, char blob = 'b') {
    v1::FileRef file;
    file.set_blob_id(std::string(32, blob));
    const auto id = desk_.Put(user, file);
    EXPECT_OK(id);
    return *id;
  }
  static v1::AddEvidenceRequest Naming(const std::vector<std::string>& ids,
                                       const std::string& key = "key") {
    v1::AddEvidenceRequest out;
    for (const std::string& id : ids) out.add_upload_ids(id);
    out.set_idempotency_key(key);
    return out;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  SeededEntropy entropy_{1};
  std::vector<BlobId> discarded_;
  UploadDesk desk_{[this] { return now_; }, entropy_,
                   [this](const BlobId& blob) { discarded_.push_back(blob); }};
};

TEST_F(UploadDeskTest, AnUploadIsTakenByItsOwnUserOnly) {
  const std::string id = Put("ada");
  EXPECT_EQ(desk_.Take("ada", Naming({id}))->size(), 1u);
  EXPECT_REFUSED(desk_.Take("eve", Naming({id})), kFailedPrecondition, "UPLOAD_UNKNOWN");
  EXPECT_REFUSED(desk_.Take("ada", Naming({"made up"})), kFailedPrecondition, "UPLOAD_UNKNOWN");
  EXPECT_REFUSED(desk_.Take("ada", Naming({id, id})), kFailedPrecondition, "UPLOAD_UNKNOWN");
}

TEST_F(UploadDeskTest, WhatNobodyNamesIsDiscardedAfterAnHour) {
  const std::string id = Put("ada");
  now_ += UploadDesk::kLife / 2;
  desk_.Touch("ada");
  now_ += UploadDesk::kLife / 2 + absl::Seconds(1);
  desk_.Sweep();
  EXPECT_TRUE(discarded_.empty());
  now_ += UploadDesk::kLife;
  desk_.Sweep();
  EXPECT_EQ(discarded_.size(), 1u);
  EXPECT_FALSE(desk_.Take("ada", Naming({id})).ok());
}

TEST_F(UploadDeskTest, AUsedUploadServesTheSameCommandAgainAndNoOther) {
  const std::string id = Put("ada");
  ASSERT_OK(desk_.Take("ada", Naming({id})));
  desk_.Release(Naming({id}), true);
  EXPECT_OK(desk_.Take("ada", Naming({id})));
  desk_.Release(Naming({id}), true);
  EXPECT_REFUSED(desk_.Take("ada", Naming({id}, "another")), kFailedPrecondition, "UPLOAD_UNKNOWN");
  now_ += UploadDesk::kLife * 3;
  desk_.Sweep();
  EXPECT_TRUE(discarded_.empty());
}

TEST_F(UploadDeskTest, ARefusedCommandLeavesItsUploadForTheNext) {
  const std::string id = Put("ada");
  ASSERT_OK(desk_.Take("ada", Naming({id})));
  desk_.Release(Naming({id}), false);
  EXPECT_OK(desk_.Take("ada", Naming({id}, "another")));
}

TEST_F(UploadDeskTest, OneUserCannotPileUpUploads) {
  v1::FileRef file;
  file.set_blob_id(std::string(32, 'b'));
  for (size_t i = 0; i < UploadDesk::kPerUserMax; ++i) ASSERT_OK(desk_.Put("ada", file));
  EXPECT_REFUSED(desk_.Put("ada", file), kResourceExhausted, "TOO_MANY_UPLOADS");
  EXPECT_OK(desk_.Put("bela", file));
}

}  // namespace
}  // namespace entente::service
