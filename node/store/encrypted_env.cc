#include "node/store/encrypted_env.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/bytes.h"
#include "crypto/hash.h"
#include "rocksdb/env_encryption.h"
#include "rocksdb/file_system.h"

namespace entente::store {
namespace {

constexpr std::string_view kMagic("entente-file-1\0\0", 16);
constexpr size_t kNonceBytes = 32;
constexpr size_t kBlockBytes = 16;

struct CipherDeleter {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::shared_ptr<EVP_CIPHER>;

// The counter block of a position: its block number, big endian.
std::array<uint8_t, kBlockBytes> CounterAt(uint64_t offset) {
  std::array<uint8_t, kBlockBytes> counter{};
  uint64_t block = offset / kBlockBytes;
  for (size_t i = kBlockBytes; i-- > 8; block >>= 8) counter[i] = static_cast<uint8_t>(block);
  return counter;
}

// One file's key stream. Encrypting and decrypting are the same; both may run at once on several
// threads, so each call has its own context.
class CtrStream : public rocksdb::BlockAccessCipherStream {
 public:
  CtrStream(Cipher cipher, crypto::Secret32 key)
      : cipher_(std::move(cipher)), key_(std::move(key)) {}

  size_t BlockSize() override { return kBlockBytes; }
  rocksdb::Status Encrypt(uint64_t offset, char* data, size_t size) override {
    return Apply(offset, data, size);
  }
  rocksdb::Status Decrypt(uint64_t offset, char* data, size_t size) override {
    return Apply(offset, data, size);
  }

 protected:
  void AllocateScratch(std::string&) override {}
  rocksdb::Status EncryptBlock(uint64_t block, char* data, char*) override {
    return Apply(block * kBlockBytes, data, kBlockBytes);
  }
  rocksdb::Status DecryptBlock(uint64_t block, char* data, char*) override {
    return Apply(block * kBlockBytes, data, kBlockBytes);
  }

 private:
  rocksdb::Status Apply(uint64_t offset, char* data, size_t size) const {
    const std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter> context(EVP_CIPHER_CTX_new());
    const auto counter = CounterAt(offset);
    const auto* key = reinterpret_cast<const uint8_t*>(key_.view().data());
    bool ok = context != nullptr &&
              EVP_EncryptInit_ex2(context.get(), cipher_.get(), key, counter.data(), nullptr) == 1;
    int written = 0;
    uint8_t skipped[kBlockBytes] = {};
    const int skip = static_cast<int>(offset % kBlockBytes);
    ok = ok &&
         (skip == 0 || EVP_EncryptUpdate(context.get(), skipped, &written, skipped, skip) == 1);
    constexpr size_t kStep = size_t{1} << 30;  // OpenSSL counts in int
    auto* bytes = reinterpret_cast<uint8_t*>(data);
    for (size_t done = 0; ok && done < size; done += kStep) {
      const int step = static_cast<int>(std::min(kStep, size - done));
      ok = EVP_EncryptUpdate(context.get(), bytes + done, &written, bytes + done, step) == 1;
    }
    return ok ? rocksdb::Status::OK() : rocksdb::Status::Aborted("AES-256-CTR failed");
  }

  const Cipher cipher_;
  const crypto::Secret32 key_;
};

class StorageProvider : public rocksdb::EncryptionProvider {
 public:
  StorageProvider(Cipher cipher, crypto::Secret32 files_key, Entropy& entropy)
      : cipher_(std::move(cipher)), files_key_(std::move(files_key)), entropy_(entropy) {}

  const char* Name() const override { return "EntenteStorage"; }
  size_t GetPrefixLength() const override { return kEncryptedPrefixBytes; }

  rocksdb::Status CreateNewPrefix(const std::string&, char* prefix, size_t size) const override {
    if (size != kEncryptedPrefixBytes) return rocksdb::Status::InvalidArgument("prefix length");
    const std::string nonce = entropy_.Bytes(kNonceBytes);
    const std::string head =
        Cat(kMagic, nonce, crypto::K64(files_key_, "store-file", {nonce}).commit.view());
    std::memset(prefix, 0, size);
    std::memcpy(prefix, head.data(), head.size());
    return rocksdb::Status::OK();
  }

  rocksdb::Status AddCipher(const std::string&, const char*, size_t, bool) override {
    return rocksdb::Status::NotSupported("the key comes from the keystore");
  }

  rocksdb::Status CreateCipherStream(
      const std::string& file, const rocksdb::EnvOptions&, rocksdb::Slice& prefix,
      std::unique_ptr<rocksdb::BlockAccessCipherStream>* stream) override {
    const std::string_view head = prefix.ToStringView();
    if (head.size() < kMagic.size() + kNonceBytes + Hash::kSize ||
        head.substr(0, kMagic.size()) != kMagic) {
      return rocksdb::Status::Corruption("damaged prefix", file);
    }
    const std::string_view nonce = head.substr(kMagic.size(), kNonceBytes);
    crypto::KeyAndCommit made = crypto::K64(files_key_, "store-file", {nonce});
    if (head.substr(kMagic.size() + kNonceBytes, Hash::kSize) != made.commit.view()) {
      return rocksdb::Status::Corruption("damaged prefix or foreign storage key", file);
    }
    *stream = std::make_unique<CtrStream>(cipher_, std::move(made.key));
    return rocksdb::Status::OK();
  }

 private:
  const Cipher cipher_;
  const crypto::Secret32 files_key_;
  Entropy& entropy_;
};

// RocksDB reopens the last write-ahead log at every start to give back preallocated room. The
// encrypting file system would put a second prefix at the end of the file first, and a crash right
// then would leave a log that reads as damaged. RocksDB does not insist when this is refused.
class NoReopenFileSystem : public rocksdb::FileSystemWrapper {
 public:
  using rocksdb::FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "EntenteStorage"; }
  rocksdb::IOStatus ReopenWritableFile(const std::string&, const rocksdb::FileOptions&,
                                       std::unique_ptr<rocksdb::FSWritableFile>*,
                                       rocksdb::IODebugContext*) override {
    return rocksdb::IOStatus::NotSupported("files are written once");
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<rocksdb::Env>> NewStorageEnv(const crypto::Secret32& storage_key,
                                                            Entropy& entropy) {
  Cipher cipher(EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr), CipherDeleter());
  if (cipher == nullptr) return absl::InternalError("OpenSSL offers no AES-256-CTR");
  auto provider = std::make_shared<StorageProvider>(
      std::move(cipher), crypto::K(storage_key, "store-files", {}), entropy);
  return rocksdb::NewCompositeEnv(std::make_shared<NoReopenFileSystem>(
      rocksdb::NewEncryptedFS(rocksdb::FileSystem::Default(), provider)));
}

}  // namespace entente::store
