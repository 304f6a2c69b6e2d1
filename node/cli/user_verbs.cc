// entente user …, entente whoami: the people of this node.
#include <unistd.h>

#include "crypto/bytes.h"
#include "crypto/entropy.h"
#include "crypto/keystore.h"
#include "node/cli/context.h"
#include "node/cli/json.h"
#include "node/cli/table.h"
#include "node/cli/text.h"
#include "node/cli/verbs.h"
#include "node/cli/words.h"

namespace entente::cli {
namespace {

absl::Status AddUser(Context& context) {
  v1::AddUserRequest request;
  request.set_user(context.args.First());
  const absl::StatusOr<v1::Role> role = ParseEnumWord<v1::Role>(context.args.Get("role"));
  if (!role.ok()) return role.status();
  request.set_role(*role);
  v1::WhoAmIResponse me;
  if (absl::Status s = context.Call("SessionService/WhoAmI", v1::WhoAmIRequest(), &me); !s.ok()) {
    return s;
  }
  // The key is made here and its private half never leaves this file.
  SystemEntropy entropy;
  crypto::UserKey key{request.user(), me.body_code(), crypto::SigningKey::Generate(entropy)};
  request.set_public_key(key.key.public_key().str());
  const std::string path = context.args.Has("key-out") ? context.args.Get("key-out")
                                                       : SafeFileName(request.user()) + ".key";
  if (absl::Status s = WriteNew(path, crypto::EncodeUserKeyFile(key), 0600); !s.ok()) return s;
  v1::AddUserResponse response;
  const absl::Status added = context.Call("NodeService/AddUser", request, &response);
  if (!added.ok()) {
    unlink(path.c_str());
    return added;
  }
  if (context.json()) {
    context.Print(Cat(JsonObject()
                          .Add("user", request.user())
                          .Add("role", v1::Role_Name(*role))
                          .Add("key_file", path)
                          .str(),
                      "\n"));
    return absl::OkStatus();
  }
  return context.Done(response, path,
                      Cat(Clean(request.user()), " may sign in as ", EnumWord(*role),
                          " with the key file ", Clean(path),
                          "\nHand it over in person, then delete it here; nobody can make it "
                          "again."));
}

absl::Status ListUsers(Context& context) {
  v1::ListUsersResponse response;
  if (absl::Status s = context.Call("NodeService/ListUsers", v1::ListUsersRequest(), &response);
      !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    Table table({"PERSON", "ROLE"});
    for (const v1::UserSummary& user : response.users()) {
      table.Add({user.user(), EnumWord(user.role())});
    }
    return table.Render();
  });
}

absl::Status WhoAmI(Context& context) {
  v1::WhoAmIResponse response;
  if (absl::Status s = context.Call("SessionService/WhoAmI", v1::WhoAmIRequest(), &response);
      !s.ok()) {
    return s;
  }
  return context.Show(response, [&] {
    return Cat(Clean(response.user()), ", ", EnumWord(response.role()), " of ",
               Clean(response.body_code()), "\n");
  });
}

}  // namespace

std::vector<Verb> UserVerbs() {
  return {
      {.noun = "user",
       .verb = "add",
       .args = "NAME",
       .summary = "let a person sign in, with a new key file",
       .example = "entente user add boris --role member --key-out boris.key",
       .flags = {{"role", "ROLE", EnumWords(*v1::Role_descriptor())},
                 {"key-out", "FILE", "where the key file goes (default NAME.key)"}},
       .args_min = 1,
       .args_max = 1,
       .run = AddUser},
      {.noun = "user",
       .verb = "list",
       .summary = "list the people of this node",
       .example = "entente user list",
       .run = ListUsers},
      {.noun = "whoami",
       .summary = "say who is signed in, and for which body",
       .example = "entente whoami",
       .run = WhoAmI},
  };
}

}  // namespace entente::cli
