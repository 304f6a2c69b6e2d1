/* Nothing that an excluded party can read is written after the signer's signature. Protocol 7.2, 5.
 *
 * Two signers, 0 and 1, and the party M that they exclude. Each signer writes entries, to all three or
 * to the two; its people may sign the exclusion at any time; it may be killed, and its store replaced
 * by an old copy. What M reads: entries of logs that it is in the audience of, and whatever is sealed
 * under an epoch whose seed it was given.
 * A write is one step of the engine; so is a signature, whose lock is durable in the anchor file before
 * the statement leaves. Twins break these one by one:
 *   CHECK_AFTER    the check comes when the entry has been sealed and sent
 *   LOCK_IN_STORE  what was signed is known from the store alone
 *   SAY_FIRST      the statement leaves before the lock is durable
 *   KEEP_EPOCH     the narrower log goes on under the seed that M has
 */
#define WRITES 2

bool lock[2];       /* the anchor file */
bool stored[2];     /* the store's memory of it; an old copy has none */
bool out[2];        /* watched: the statement is on its way */
byte writes[2];
byte epoch[2];      /* newest seed of the log {0,1}; 0: none yet; 1: one that M has; 2: one it has not */
bool mreads[2];     /* watched: an entry written by i after out[i] is readable by M */
bool latest;        /* watched: the same, after the exclusion was complete */

#ifdef LOCK_IN_STORE
#define STOPPED(i) stored[i]
#else
#define STOPPED(i) (stored[i] || lock[i])
#endif

inline written(i, readable) {
  writes[i]++;
  if
  :: readable && out[i] -> mreads[i] = true
  :: else
  fi;
  if
  :: readable && out[0] && out[1] -> latest = true
  :: else
  fi;
  assert(!mreads[i]);   /* no window for one signer */
  assert(!latest);      /* nor for all of them together */
}

proctype Writer(byte i) {
  bool wide;
end:
  do
  /* a person writes something for all three */
#ifdef CHECK_AFTER
  :: writes[i] < WRITES -> wide = !STOPPED(i);
     if :: d_step { wide -> written(i, true) } :: !wide -> skip fi
#else
  :: d_step { writes[i] < WRITES && !STOPPED(i) -> written(i, true) }
#endif
  /* and for the two: in a log of its own, under a seed of its own */
  :: d_step { writes[i] < WRITES ->
#ifdef KEEP_EPOCH
       epoch[i] = 1;
#else
       epoch[i] = 2;
#endif
       written(i, epoch[i] == 1) }
  od
}

/* A person signs the exclusion. */
proctype Signer(byte i) {
end:
  do
#ifdef SAY_FIRST
  :: !out[i] && !STOPPED(i) -> out[i] = true; d_step { lock[i] = true; stored[i] = true }
#else
  :: !lock[i] -> d_step { lock[i] = true; stored[i] = true }; out[i] = true
  :: lock[i] && !out[i] -> out[i] = true     /* killed in between: said again */
#endif
  od
}

/* Kill and restart lose nothing that was synced; an old copy of the store loses the memory of it. A
 * step that had begun is not finished by the process that comes after: it is cut by the engine being
 * one step, or, where a twin cuts a step in two, by the world stepping in between. */
proctype World() {
end:
  do
  :: d_step { stored[0] -> stored[0] = false }
  :: d_step { stored[1] -> stored[1] = false }
  od
}

init { atomic { run Writer(0); run Writer(1); run Signer(0); run Signer(1); run World() } }
