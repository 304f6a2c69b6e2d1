#include "tests/sim/script.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/sim/world/fail.h"

namespace entente::sim {
namespace {

absl::Status Bad(std::string_view name, std::string_view line) {
  return absl::InvalidArgumentError(Cat("workload ", name, ": \"", line, "\" is not understood"));
}

std::vector<std::string> Words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

Codes AsCodes(const std::vector<std::string>& words, size_t from) {
  return Codes(words.begin() + static_cast<int64_t>(std::min(from, words.size())), words.end());
}

// The settings at the top of a script. False when the line is no setting.
bool Setting(const std::vector<std::string>& words, Script* out) {
  const std::string& name = words.front();
  const auto mark = [&](const auto& change) {
    for (BodyPlan& body : out->bodies) {
      if (name == "relays" || std::find(words.begin(), words.end(), body.code) != words.end()) {
        change(body);
      }
    }
  };
  absl::Duration span;
  if (name == "bodies") {
    for (size_t i = 1; i < words.size(); ++i) out->bodies.push_back({.code = words[i]});
  } else if (name == "parties") {
    out->parties = AsCodes(words, 1);
  } else if (name == "participants") {
    out->participants = AsCodes(words, 1);
  } else if (name == "relay-only") {
    mark([](BodyPlan& body) { body.relay_only = true; });
  } else if (name == "dials-only") {
    mark([](BodyPlan& body) { body.listens = false; });
  } else if (name == "relays") {
    const int count = std::stoi(words.at(1));
    mark([count](BodyPlan& body) { body.relays = count; });
  } else if (name == "random") {
    out->random = std::stoi(words.at(1));
  } else if (name == "by-name") {
    out->by_name = true;
  } else if (name == "hostile") {
    out->hostile = words.at(1);
  } else if (words.size() == 2 && absl::ParseDuration(words[1], &span)) {
    if (name == "span") out->span = span;
    if (name == "pace") out->pace = span;
    if (name == "relay-pace") out->relay_pace = span;
    return name == "span" || name == "pace" || name == "relay-pace";
  } else {
    return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<Script> ParseScript(std::string_view name, std::string_view text) {
  Script out;
  out.name = std::string(name);
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> words = Words(line);
    if (words.empty() || words.front()[0] == '#' || Setting(words, &out)) continue;
    ScriptLine act;
    if (words.size() < 3 || !absl::ParseDuration(words[0], &act.at)) return Bad(name, line);
    act.who = words[1];
    act.verb = words[2];
    act.words.assign(words.begin() + 3, words.end());
    out.lines.push_back(std::move(act));
  }
  if (out.bodies.size() < 2 || out.parties.size() < 2) return Bad(name, "bodies, parties");
  return out;
}

const std::vector<Script>& AllScripts() {
  static const std::vector<Script> scripts = [] {
    std::vector<Script> out;
    for (const auto& file : std::filesystem::directory_iterator(ENTENTE_SIM_WORKLOADS)) {
      if (file.path().extension() != ".txt") continue;
      std::ifstream in(file.path());
      std::stringstream text;
      text << in.rdbuf();
      absl::StatusOr<Script> script = ParseScript(file.path().stem().string(), text.str());
      if (!script.ok()) Fail(script.status().ToString());
      out.push_back(*std::move(script));
    }
    std::sort(out.begin(), out.end(),
              [](const Script& a, const Script& b) { return a.name < b.name; });
    return out;
  }();
  return scripts;
}

const Script* FindScript(std::string_view name) {
  for (const Script& script : AllScripts()) {
    if (script.name == name) return &script;
  }
  return nullptr;
}

namespace {

void PerformBy(World& world, Acts& acts, Node& node, const ScriptLine& line) {
  const std::vector<std::string>& words = line.words;
  const std::string first = words.empty() ? "" : words.front();
  const std::string& verb = line.verb;
  if (verb == "sign") return acts.Sign(node);
  if (verb == "reject") return acts.Reject(node);
  if (verb == "amend") return acts.Amend(node);
  if (verb == "admit") return acts.Amend(node, first, "");
  if (verb == "controller") return acts.Amend(node, "", first);
  if (verb == "exclude") return acts.Exclude(node, first);
  if (verb == "suspend") return acts.Suspend(node, first, false);
  if (verb == "lift") return acts.Suspend(node, first, true);
  if (verb == "note") return acts.Note(node, AsCodes(words, 0));
  if (verb == "notes") {
    // One command takes at most a thousand texts.
    for (int left = std::stoi(first); left > 0; left -= 1000) {
      acts.Note(node, AsCodes(words, 1), std::min(left, 1000));
    }
    return;
  }
  if (verb == "evidence") {
    return acts.Evidence(node, AsCodes(words, 1), 1024 * std::stoul(first));
  }
  if (verb == "task") return acts.Task(node, first);
  if (verb == "move") return acts.MoveTask(node);
  if (verb == "line") return acts.Line(node, AsCodes(words, 0));
  if (verb == "release") return acts.Release(node, first);
  if (verb == "erase") return acts.Erase(node);
  if (verb == "rotate") return acts.RotateKeys(node, first == "emergency");
  if (verb == "off") {
    node.PowerOff();
    node.home = true;
    return;
  }
  if (verb == "on") {
    node.home = false;
    return node.Boot();
  }
  if (verb == "away") return world.Isolate(node, true);
  if (verb == "back") return world.Isolate(node, false);
  Fail(Cat("no such act: ", verb));
}

}  // namespace

void Perform(World& world, Acts& acts, const ScriptLine& line) {
  const Codes who = line.who == "*" ? acts.parties() : Codes{line.who};
  for (const std::string& code : who) {
    Node& node = world.node(code);
    if (!node.hostile) PerformBy(world, acts, node, line);
  }
}

}  // namespace entente::sim
