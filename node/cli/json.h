// JSON out: messages as protobuf defines it (field names as in client.proto, every field present,
// 64-bit numbers as strings), and small objects of our own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}

namespace entente::cli {

std::string MessageAsJson(const google::protobuf::Message& message);

std::string JsonString(std::string_view text);

class JsonObject {
 public:
  JsonObject& Add(std::string_view name, std::string_view text);
  JsonObject& Add(std::string_view name, const char* text) {
    return Add(name, std::string_view(text));
  }
  JsonObject& Add(std::string_view name, bool value);
  JsonObject& Add(std::string_view name, uint64_t value);
  JsonObject& Add(std::string_view name, const JsonObject& object);
  JsonObject& Add(std::string_view name, const std::vector<JsonObject>& objects);
  std::string str() const { return "{" + fields_ + "}"; }

 private:
  JsonObject& AddRaw(std::string_view name, std::string_view json);
  std::string fields_;
};

}  // namespace entente::cli
