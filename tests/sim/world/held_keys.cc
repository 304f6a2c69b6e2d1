#include "tests/sim/world/held_keys.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "entente/v1/storage.pb.h"

namespace entente::sim {

std::vector<crypto::BoxKeyPair> HeldKeys(const Node& node) {
  std::vector<v1::OwnBoxKeyRow> rows;
  const DiskKv::Rows& disk = node.disk.kv.rows();
  for (auto it = disk.lower_bound("w"); it != disk.end() && it->first[0] == 'w'; ++it) {
    v1::OwnBoxKeyRow row;
    if (row.ParseFromString(it->second) && !row.destroyed()) rows.push_back(std::move(row));
  }
  const auto age = [](const v1::OwnBoxKeyRow& row) {
    return std::tuple(row.retired() == 0, row.created(), row.seq());
  };
  std::sort(rows.begin(), rows.end(),
            [&](const v1::OwnBoxKeyRow& a, const v1::OwnBoxKeyRow& b) { return age(a) > age(b); });
  const std::string of_card(node.who.keys->box.secret().view());
  std::vector<crypto::BoxKeyPair> out;
  for (const v1::OwnBoxKeyRow& row : rows) {
    const auto secret = crypto::Secret32::From(row.secret().empty() ? of_card : row.secret());
    if (secret.ok())
      out.push_back(crypto::BoxKeyPair::FromSecret(*crypto::Secret32::From(secret->view())));
  }
  if (out.empty()) out.push_back(crypto::BoxKeyPair::FromSecret(*crypto::Secret32::From(of_card)));
  return out;
}

}  // namespace entente::sim
