"""A bank register (CSV) and a telephone extraction report (JSON). Every name and number is made up."""

import datetime
import json
import random

START = datetime.datetime(2031, 1, 2, 6, 0, tzinfo=datetime.timezone.utc)
SHOPS = ("Lindenhof Trading", "Kestrel Exchange", "Orla Cleaning Services", "Port Sable Haulage",
         "Brindle Nail Studio", "Halvard Catering", "Mistral Car Wash", "Ferrand Textiles",
         "Quay 9 Recruitment", "Tallow Street Rentals")
PURPOSES = ("wages", "rent", "transport", "cash deposit", "equipment", "advance", "refund",
            "catering", "invoice {n}", "loan {n}", "deposit flat {n}", "ticket {n}")
CHANNELS = ("branch", "terminal", "online", "agent")
WORDS = ("room", "bus", "tonight", "ready", "paper", "passport", "wait", "driver", "border", "cash",
         "nine", "street", "call", "boss", "girls", "work", "debt", "pay", "later", "new", "phone",
         "morning", "keys", "door", "city", "home", "sick", "no", "yes", "soon", "three", "more")


def account(chance):
    country = chance.choice(("XA", "XA", "XA", "XB", "XC"))
    return f"{country}{chance.randrange(10, 99)} {chance.randrange(10**7, 10**8)} " \
           f"{chance.randrange(10**7, 10**8)}"


def bank_register(rows=120_000, seed=13):
    chance = random.Random(seed)
    accounts = [(account(chance), shop) for shop in SHOPS for _ in range(9)]
    others = [account(chance) for _ in range(700)]
    lines = ["entry;booked_utc;account;holder;direction;amount_eur;counterparty;purpose;channel"]
    moment = START
    for number in range(1, rows + 1):
        moment += datetime.timedelta(seconds=chance.randrange(20, 380))
        own, holder = chance.choice(accounts)
        cents = chance.choice((chance.randrange(900, 40_000), chance.randrange(90_000, 990_000)))
        purpose = chance.choice(PURPOSES).replace("{n}", str(chance.randrange(100, 9999)))
        lines.append(f"{number};{moment:%Y-%m-%dT%H:%M:%SZ};{own};{holder};"
                     f"{chance.choice('CD')};{cents // 100}.{cents % 100:02d};"
                     f"{chance.choice(others)};{purpose};{chance.choice(CHANNELS)}")
    return ("\r\n".join(lines) + "\r\n").encode()


def extraction_report(messages=36_000, seed=14):
    chance = random.Random(seed)
    people = [{"id": f"C{n:03d}", "number": f"+999 {chance.randrange(10**8, 10**9)}",
               "saved_as": f"contact {n}"} for n in range(1, 61)]
    moment, chats = START, []
    for number in range(1, messages + 1):
        moment += datetime.timedelta(seconds=chance.randrange(5, 900))
        sender, receiver = chance.sample(people, 2)
        chats.append({"id": number, "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "app": "messenger",
                      "from": sender["id"], "to": receiver["id"],
                      "text": " ".join(chance.choices(WORDS, k=chance.randrange(2, 11))),
                      "deleted": chance.random() < 0.07,
                      "source": f"/data/app/messages.db#{number * 17}"})
    report = {"report": "Extraction of exhibit XA-2031-0417/3", "operation": "LANTERN (fictional)",
              "device": {"make": "Corvid", "model": "C7", "imei": "990000862471854",
                         "seal": "XA 118 204", "state": "unlocked with consent of the holder"},
              "tool": {"name": "example extractor", "version": "4.2.0"},
              "examiner": "Arvenia, Digital Forensics Unit", "contacts": people,
              "messages": chats}
    return json.dumps(report, indent=1).encode()
