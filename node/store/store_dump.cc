#include "node/store/store_dump.h"

#include <memory>

#include "crypto/bytes.h"
#include "node/store/rocks_kv.h"

namespace entente::store {

absl::Status DumpStore(const std::string& dir, const crypto::Secret32& storage_key,
                       Entropy& entropy, const std::function<void(std::string_view)>& print) {
  const absl::StatusOr<std::unique_ptr<RocksKv>> store =
      RocksKv::OpenReadOnly(dir, storage_key, entropy);
  if (!store.ok()) return store.status();
  return (*store)->VisitAll([&](std::string_view key, std::string_view value) {
    print(Cat(Hex(key), " ", Hex(value), "\n"));
    return true;
  });
}

}  // namespace entente::store
