#!/usr/bin/env python3
"""The include graph: proto <- crypto <- sync <- node, each library behind one folder, a pure core."""

import re

import common

# (files the rule is for, files it spares, what they may not include, why)
RULES = [
    (r"crypto/", None, r"(sync|node|tests)/", "crypto stands below everything else of ours"),
    (r"crypto/", None, r"(entente/v1/|google/protobuf/)", "crypto knows no messages"),
    (r"sync/", None, r"(node|tests)/", "sync never looks up to node"),
    (r"node/", None, r"tests/", "the product never includes its tests"),
    (r"node/model/", None, r"node/(store|transport|service|driver|daemon|cli|relay|core)/",
     "the record engine knows no hands"),
    (r"node/bundle/", None,
     r"node/(store|transport|service|driver|daemon|cli|relay|verify)/|node/core/(?!decisions\.h)",
     "a bundle is checked where there is no node"),
    (r"node/verify/", None, r"node/(?!bundle/|model/|verify/)",
     "the verifier runs where there is no node"),
    (r"node/core/", None, r"node/(store|transport|service|driver|daemon|cli|relay)/",
     "the engine is stepped by the driver and never calls it"),
    (r"node/store/", None, r"node/(transport|service|driver|daemon|cli|relay)/",
     "the store serves, it does not call"),
    # Plain files, the operator's socket and the check of a card are all that it shares.
    (r"node/relay/", None,
     r"(sync/(?!card_book\.h)|node/(core|model|driver|daemon|cli)/"
     r"|node/store/(?!(file_io|keystore_file)\.h)|node/service/(?!(errors|unix_listener)\.h))",
     "the relay knows no case"),
    (r"node/relay/", None,
     r"crypto/(body_seal|box|epoch|file_chunks|key_tree|keystore|parcel_seal|slot|value_seal)\.h",
     "the relay links no code that opens anything"),
    (r"(sync|node|tests)/", r"(tests/crypto/|tests/vectors/|tests/fuzz/|tests/support/)",
     r"sodium(\.h|/)", "libsodium stays in crypto"),
    (r"(crypto|sync|node|tests)/", r"(node/store/|tests/node/store/|tests/bench/)",
     r"rocksdb/", "RocksDB stays in node/store"),
    (r"(crypto|sync|node)/", r"node/(transport|relay|service|cli|driver)/|node/main\.cc",
     r"(grpc(pp)?(\+\+)?/|entente/v1/\w+\.grpc\.pb\.h)",
     "gRPC stays in transport, relay, service, cli, driver and main"),
]

PURE = re.compile(r"(sync|node/model|node/bundle|node/core)/")
WORLD = re.compile(
    r"(thread|mutex|shared_mutex|condition_variable|future|random|filesystem|fstream|chrono|ctime"
    r"|time\.h|unistd\.h|fcntl\.h|poll\.h|sys/.*|netinet/.*|arpa/.*|netdb\.h|pthread\.h"
    r"|absl/time/clock\.h|absl/synchronization/.*|absl/random/.*|openssl/rand\.h)$")
WORLD_CALLS = re.compile(r"\b(absl::Now|std::rand|std::getenv|getenv|::time)\s*\(")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.M)


def check(path, text):
    name = str(path)
    for match in INCLUDE.finditer(text):
        include = match.group(1)
        line = text.count("\n", 0, match.start()) + 1
        for rule_files, spared, forbidden, why in RULES:
            if (re.match(rule_files, name) and not (spared and re.match(spared, name))
                    and re.match(forbidden, include)):
                yield f"{name}:{line}: includes {include}: {why}"
        if PURE.match(name) and WORLD.match(include):
            yield f"{name}:{line}: includes {include}: the pure core is handed the world"
    if PURE.match(name):
        code = common.strip_cpp(text)
        for match in WORLD_CALLS.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            yield f"{name}:{line}: calls {match.group(1)}: the pure core is handed the world"


def main():
    args = common.arguments(__doc__)
    findings = []
    for path in common.cpp_files(args.root):
        findings += check(path, common.read(args.root, path))
    common.finish(findings, "layering")


if __name__ == "__main__":
    main()
