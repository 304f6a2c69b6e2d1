/* Rollback is normal, forking is forbidden. Protocol 4 (incarnation), 11 (signing anchor), 6 (receipts).
 *
 * One author and one peer. An entry's text is one bit, so two trees of one size differ when their bits
 * do. The author writes, records the head in its anchor file, then sends it; the peer writes durably,
 * then cosigns. Either may be killed between any two of these; the author's disk may also be replaced
 * by an old copy, with or without its anchor file, as often as one likes.
 * Broken twins:
 *   NO_ANCHOR      the anchor file is not looked at
 *   ANCHOR_LATE    the anchor is written after the head has left
 *   EARLY_RECEIPT  the peer cosigns before its write is durable
 *   COUNT_UP       without an anchor the next incarnation is counted, not drawn
 *   TRUST_PEER     after a restore the author goes on from whatever the peer holds
 */
#ifndef SIZE
#define SIZE 2        /* entries per log */
#endif
#ifndef INCS
#define INCS 3        /* incarnations: two changes of it */
#endif
#define TREE(n,t) ((n)*8+(t)) /* 0: no tree */

byte size, bits, inc;              /* the author's store */
byte blen, bbits, binc;           /* an old copy of it */
bool anchored = true;             /* is there an anchor file? */
byte ainc, alen, abits;           /* what it says */
bool mem = true;                  /* false: killed */
bool over;                        /* out of incarnations */
bool used[INCS];
byte hlen, hbits;                 /* head under way to the anchor and out; 0: none */
byte sent[INCS*(SIZE+1)];         /* watched: tree signed for (incarnation, size), 0 for none */
byte wirelen, wirebits, wireinc;  /* head on the wire */
byte plen[INCS], pbits[INCS];     /* the peer's durable copy */
byte qlen, qbits, qinc; bool q;   /* batch received, not written yet */
bool acked[INCS*(SIZE+1)];        /* receipts that the author holds */

#define SENT(i,n) sent[(i)*(SIZE+1)+(n)]
#define ACKED(i,n) acked[(i)*(SIZE+1)+(n)]

inline leave() {
  /* The promise: never two trees of one size in one incarnation. */
  assert(SENT(inc,hlen) == 0 || SENT(inc,hlen) == TREE(hlen,hbits));
  SENT(inc,hlen) = TREE(hlen,hbits);
  wirelen = hlen; wirebits = hbits; wireinc = inc;
}
inline record() { anchored = true; ainc = inc; alen = hlen; abits = hbits; }

active proctype Author() {
end:
  do
  /* write: one synced write */
  :: d_step { mem && hlen == 0 && size < SIZE -> size++; hlen = size; hbits = bits }
  :: d_step { mem && hlen == 0 && size < SIZE -> bits = bits + (1 << size); size++; hlen = size; hbits = bits }
  /* anchor, then send; or killed in between */
#ifdef ANCHOR_LATE
  :: d_step { mem && hlen != 0 -> leave() }; if :: d_step { mem -> record(); hlen = 0 } :: !mem -> skip fi
#else
  :: d_step { mem && hlen != 0 -> record() };
     if :: d_step { mem -> leave(); hlen = 0 } :: !mem -> skip fi
#endif
  /* start: decide from store and anchor alone */
  :: d_step { !mem && !over -> mem = true; hlen = 0;
     if
#ifdef NO_ANCHOR
     :: false
#else
     :: (!anchored || ainc > inc || (ainc == inc && (alen > size || (abits != (bits & ((1 << alen)-1)))))) ->
        /* More may have been signed than the store remembers: frozen for ever, a new incarnation. */
#ifdef TRUST_PEER
        size = plen[inc]; bits = pbits[inc]; record(); alen = size; abits = bits
#else
        inc = (anchored && ainc > inc -> ainc : inc) + 1; size = 0; bits = 0;
#ifndef COUNT_UP
        /* Without an anchor the number is drawn at random, past the one known: never one used before. */
        do :: !anchored && inc < INCS && used[inc] -> inc++ :: else -> break od;
#endif
        if :: inc >= INCS -> inc = 0; mem = false; over = true :: else -> used[inc] = true fi   /* the bound of this model */
#endif
#endif
     :: else
     fi }
  od
}

active proctype Peer() {
end:
  do
  :: d_step { wirelen != 0 && !q -> q = true; qlen = wirelen; qbits = wirebits; qinc = wireinc; wirelen = 0 }
#ifdef EARLY_RECEIPT
  :: d_step { q && !ACKED(qinc,qlen) -> ACKED(qinc,qlen) = true; }
#endif
  :: d_step { q -> if :: qlen > plen[qinc] -> plen[qinc] = qlen; pbits[qinc] = qbits :: else fi;
              ACKED(qinc,qlen) = true; q = false }
  od
}

active proctype World() {
end:
  do
  :: d_step { mem -> mem = false }                       /* kill -9 of the author */
  :: d_step { q -> q = false }                       /* of the peer: what was not written is gone */
  :: d_step { wirelen != 0 -> wirelen = 0 }          /* a cut line */
  :: d_step { mem && hlen == 0 -> blen = size; bbits = bits; binc = inc }   /* a backup, without the anchor */
  :: d_step { !mem -> size = blen; bits = bbits; inc = binc }                    /* restored, anchor kept */
  :: d_step { !mem -> size = blen; bits = bbits; inc = binc; anchored = false }  /* on a new disk */
  od
}

/* What carries a receipt is on the peer's disk. */
#define HELD(i,n) (!ACKED(i,n) || plen[i] >= (n))
active proctype Watch() {
end:
  do
  :: d_step { !HELD(0,1) || !HELD(0,2) || !HELD(1,1) || !HELD(1,2) -> assert(false) }
  od
}
