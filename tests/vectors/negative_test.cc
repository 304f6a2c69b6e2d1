// What must be refused is refused, and what must be accepted is not: every line of negative.txt,
// judged by the production code. negative.py judges the same lines without it.
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>

#include "crypto/body_seal.h"
#include "crypto/box.h"
#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "crypto/signing.h"
#include "crypto/slot.h"
#include "gtest/gtest.h"

namespace entente {
namespace {

using Fields = std::map<std::string, std::string>;

template <class T>
T Exactly(const std::string& raw) {
  return *T::From(raw);
}
uint64_t Number(const std::string& raw) { return *ByteReader(raw).ReadU64(); }

// A signature counts under a key that counts: cards refuse the others (sync/card_book.h).
bool JudgeSignature(const Fields& f) {
  const PublicKey key = Exactly<PublicKey>(f.at("public"));
  return crypto::CheckPublicKey(key).ok() &&
         crypto::Verify(key, f.at("message"), f.at("signature")).ok();
}

// Nothing is sealed to a key of low order, and no secret is agreed with one.
bool JudgeBoxKey(const Fields& f) {
  const BoxPublicKey key = Exactly<BoxPublicKey>(f.at("public"));
  SeededEntropy entropy(1);
  const bool seals = crypto::SealBox(key, "a secret").ok();
  EXPECT_EQ(crypto::BoxKeyPair::Generate(entropy).SharedSecret(key).ok(), seals);
  EXPECT_EQ(crypto::CheckBoxKey(key).ok(), seals);
  return seals;
}

bool JudgeBox(const Fields& f) {
  return crypto::BoxKeyPair::FromSecret(Exactly<crypto::Secret32>(f.at("secret")))
      .Open(f.at("sealed"))
      .ok();
}

bool JudgeBody(const Fields& f) {
  const std::string& body = f.at("body");
  const crypto::EntryHeader header{1,
                                   crypto::kSealed,
                                   1,
                                   Number(f.at("index")),
                                   static_cast<uint32_t>(body.size()),
                                   Exactly<LogId>(f.at("log")),
                                   crypto::Sha256(body)};
  return crypto::OpenBody(Exactly<crypto::Secret32>(f.at("key")), header, body).ok();
}

bool JudgeSlot(const Fields& f) {
  const crypto::SlotContext context{
      Exactly<LogId>(f.at("log")), *ByteReader(f.at("epoch")).ReadU32(),
      Exactly<PartyId>(f.at("party")), Exactly<KeyId>(f.at("key_id")), Exactly<Hash>(f.at("card"))};
  const auto key = crypto::BoxKeyPair::FromSecret(Exactly<crypto::Secret32>(f.at("secret")));
  return crypto::OpenSlot(context, key, f.at("box")).ok();
}

bool JudgeInclusion(const Fields& f) {
  std::vector<Hash> path;
  for (size_t at = 0; at < f.at("path").size(); at += 32) {
    path.push_back(Exactly<Hash>(f.at("path").substr(at, 32)));
  }
  return crypto::VerifyInclusion(Exactly<Hash>(f.at("leaf")), Number(f.at("index")),
                                 Number(f.at("size")), path, Exactly<Hash>(f.at("root")))
      .ok();
}

bool JudgeCheckpoint(const Fields& f) { return crypto::ParseCheckpoint(f.at("text")).ok(); }

bool JudgeNote(const Fields& f) {
  return crypto::VerifyCheckpointNote(f.at("note"), Exactly<LogId>(f.at("log")),
                                      Exactly<PublicKey>(f.at("public")))
      .ok();
}

const std::map<std::string, std::function<bool(const Fields&)>> kJudges = {
    {"ed25519", JudgeSignature}, {"x25519", JudgeBoxKey},
    {"box", JudgeBox},           {"body", JudgeBody},
    {"slot", JudgeSlot},         {"inclusion", JudgeInclusion},
    {"note", JudgeNote},         {"checkpoint", JudgeCheckpoint},
};

TEST(NegativeVectorsTest, EveryLineGetsItsVerdict) {
  std::ifstream in(ENTENTE_NEGATIVE_VECTORS_FILE);
  ASSERT_TRUE(in.good());
  std::map<std::string, int> counts;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string verdict, name, primitive;
    words >> verdict >> name >> primitive;
    Fields fields;
    for (std::string word; words >> word;) {
      const size_t equals = word.find('=');
      fields[word.substr(0, equals)] = *Unhex(word.substr(equals + 1));
    }
    ASSERT_TRUE(kJudges.contains(primitive)) << name;
    EXPECT_EQ(kJudges.at(primitive)(fields), verdict == "accept") << name;
    ++counts[primitive];
  }
  EXPECT_EQ(counts.size(), kJudges.size());
  for (const auto& [primitive, count] : counts) EXPECT_GE(count, 9) << primitive;
}

}  // namespace
}  // namespace entente
