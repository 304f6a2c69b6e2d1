// store_dump DIR KEYSTORE PASSPHRASEFILE
//
// Prints every row of a node's database, decrypted, one "<key in hex> <value in hex>" per line, for
// the tests that look for what must not be in it. DIR is the database folder. Stop the node first.
#include "node/store/store_dump.h"

#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "node/store/keystore_file.h"

namespace entente {
namespace {

absl::Status Run(const std::string& dir, const std::string& keystore_path,
                 const std::string& passphrase_path) {
  if (absl::Status status = crypto::Init(); !status.ok()) return status;
  const absl::StatusOr<crypto::SecretBytes> keystore = store::ReadSecretFile(keystore_path);
  if (!keystore.ok()) return keystore.status();
  const absl::StatusOr<crypto::SecretBytes> line = store::ReadSecretFile(passphrase_path);
  if (!line.ok()) return line.status();
  std::string_view passphrase = line->view();
  while (passphrase.ends_with('\n') || passphrase.ends_with('\r')) passphrase.remove_suffix(1);
  const absl::StatusOr<crypto::NodeKeys> keys = crypto::OpenKeystore(keystore->view(), passphrase);
  if (!keys.ok()) return keys.status();
  SystemEntropy entropy;
  return store::DumpStore(dir, keys->storage, entropy, [](std::string_view row) {
    std::fwrite(row.data(), 1, row.size(), stdout);
  });
}

}  // namespace
}  // namespace entente

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: store_dump DIR KEYSTORE PASSPHRASEFILE\n";
    return 2;
  }
  const absl::Status status = entente::Run(argv[1], argv[2], argv[3]);
  if (status.ok()) return 0;
  std::cerr << "store_dump: " << status.ToString() << "\n";
  return 1;
}
