/* Sign, then Confirm: at most one successor of a version is ever in force. Protocol 7.1, 7.2.
 *
 * N signers, the last LIARS of them lie; two proposals succeed the same version. A liar has said
 * everything there is to say (sign, refuse, confirm, exclude, all at once) and shows any of it to
 * anybody at any time. What an honest signer says reaches the others in any order, late or never.
 * So a step is: one honest signer says one thing, or one statement becomes known to one honest node.
 *
 * Switches, given by `run`:
 *   RESTORE=n      nodes 0 to n-1 may be set back to an empty store at any time; the anchor file stays
 *   EXCLUDE        signers may exclude each other, and proposals may leave an excluded one out
 *   SUPERSET       fewer states, more behaviour: a statement that can only enable (sign, confirm) is
 *                  known to all as soon as it is said, every liar's from the start, and a version in
 *                  force elsewhere does not keep a person from signing. Acts are never forced, so each
 *                  run of the exact model is a run of this one; if nothing is wrong here, nothing is there.
 *   NO_DECISIONS   exclusions alone
 *   LEAN           with EXCLUDE: four pairs of signer lists instead of sixteen
 *   MUTUAL         honest signers may exclude each other crosswise (see README: a limit, not a rule)
 * Broken twins:
 *   SIGN_ONLY      in force = signed by all; "sign another when the first is dead"
 *   FORGET_LOCK    the confirm lock is in the store and not in the anchor file
 *   SIGN_ONCE      a signature binds for ever, refusals or not
 *   MANY_PENDING   a signer may sign a second exclusion before the first is complete
 */
#ifndef N
#define N 3
#endif
#ifndef LIARS
#define LIARS 1
#endif
#define HON   (N-LIARS)
#define ALL   ((1<<N)-1)
#define HONEST ((1<<HON)-1)
#define LYING (ALL-HONEST)
#define BIT(j) (1<<(j))
#define NOT(x) (ALL-(x))

/* What node i knows of proposal p: a bit per signer. */
#define AT(a,i,p) a[(i)*2+(p)]
byte sg[HON*2]; byte rf[HON*2]; byte cf[HON*2];
byte ex[HON*N];              /* ex[i*N+k]: whose exclusions of k node i knows */
byte gone[HON];              /* who is excluded, as node i sees it; only grows */
/* What honest signers have said to the world; it cannot be unsaid. */
byte saidsg[2]; byte saidrf[2]; byte saidcf[2]; byte saidex[N];
byte lock[HON];              /* durable: 0, or 1 + the proposal confirmed */
byte req[2];                 /* who must sign each proposal, as it lists them */
byte seen[HON];              /* watched: in force at node i, since its last restore */
byte ever;                   /* watched: in force at any honest node, ever */
byte k, again;               /* scratch */

#define REFUSED(i,p) ((AT(rf,i,p) & req[p]) != 0)
#define VALID(i,p)   ((req[p] & NOT(gone[i])) == NOT(gone[i]))
#ifdef SUPERSET
#define SIGNED(i,p)    (saidsg[p] | LYING)
#define CONFIRMED(i,p) (saidcf[p] | LYING)
#else
#define SIGNED(i,p)    AT(sg,i,p)
#define CONFIRMED(i,p) AT(cf,i,p)
#endif
#ifdef SIGN_ONLY
#define DECIDED(i,p) SIGNED(i,p)
#else
#define DECIDED(i,p) CONFIRMED(i,p)
#endif
#define INFORCE(i,p) (VALID(i,p) && (DECIDED(i,p) & req[p]) != 0 && \
                      ((DECIDED(i,p) | gone[i]) & req[p]) == req[p])
#define OWN(a,i,p)   ((AT(a,i,p) & BIT(i)) != 0)

#ifdef SUPERSET
#define STANDS(i,q) 0
#else
#define STANDS(i,q) INFORCE(i,q)
#endif
#ifdef SIGN_ONCE
#define OPEN(i,q) OWN(sg,i,q)
#else
#define OPEN(i,q) (OWN(sg,i,q) && !REFUSED(i,q))
#endif
/* May a person at i sign something new although q exists? */
#define FREE(i,q) (!STANDS(i,q) && !OWN(cf,i,q) && !OPEN(i,q))
#define MAYSIGN(i,p) (VALID(i,p) && (req[p] & BIT(i)) && !OWN(sg,i,p) && !OWN(rf,i,p) && FREE(i,1-(p)))
#define MAYREFUSE(i,p) ((req[p] & BIT(i)) && !OWN(sg,i,p) && !OWN(rf,i,p))
#ifdef SIGN_ONLY
#define MAYCONFIRM(i,p) 0
#else
#define MAYCONFIRM(i,p) (VALID(i,p) && (req[p] & BIT(i)) && (SIGNED(i,p) & req[p]) == req[p] && \
    !REFUSED(i,p) && !OWN(cf,i,0) && !OWN(cf,i,1) && (lock[i] == 0 || lock[i] == (p)+1))
#endif

inline watch(i) {
  k = (INFORCE(i,0) -> 1 : 0) + (INFORCE(i,1) -> 2 : 0);
  assert((seen[i] & NOT(k)) == 0);  /* in force is never undone */
  seen[i] = k;
  ever = ever | k;
  k = 0;
  assert(ever != 3);                /* one successor at most, at all honest nodes together */
}

/* In SUPERSET what one says changes what is in force at every node. */
#define W0 watch(0);
#if HON > 1
#define W1 watch(1);
#else
#define W1
#endif
#if HON > 2
#define W2 watch(2);
#else
#define W2
#endif
#if HON > 3
#define W3 watch(3);
#else
#define W3
#endif
#ifdef SUPERSET
#define TELL(a,p,i) AT(a,i,p) = AT(a,i,p) | BIT(i); W0 W1 W2 W3
#else
#define TELL(a,p,i) AT(a,i,p) = AT(a,i,p) | BIT(i); watch(i);
#endif

/* The first act can be named "by 0, on proposal 0" without losing a run: names are free. (Exclusions
 * are settled in the order of the signers' names and RESTORE names some, so there only the proposals'
 * names are.) */
#if defined(EXCLUDE) || defined(RESTORE)
#define NAMED(i,p) ((p) == 0 || (saidsg[0] | saidrf[0]) != 0)
#else
#define NAMED(i,p) (((i) == 0 && (p) == 0) || (saidsg[0] | saidrf[0]) != 0)
#endif
#define SAY(i,p) \
  :: d_step { NAMED(i,p) && MAYSIGN(i,p) -> saidsg[p] = saidsg[p] | BIT(i); TELL(sg,p,i) printf("%d signs %d\n", i, p); } \
  :: d_step { NAMED(i,p) && MAYREFUSE(i,p) -> saidrf[p] = saidrf[p] | BIT(i); AT(rf,i,p) = AT(rf,i,p) | BIT(i); \
              watch(i); printf("%d refuses %d\n", i, p); } \
  :: d_step { MAYCONFIRM(i,p) -> saidcf[p] = saidcf[p] | BIT(i); lock[i] = (p)+1; TELL(cf,p,i) \
              printf("%d confirms %d\n", i, p); }

#define HEAR1(i,a,said,p,j,word) \
  :: d_step { ((said[p] | LYING) & BIT(j)) && !(AT(a,i,p) & BIT(j)) -> \
              AT(a,i,p) = AT(a,i,p) | BIT(j); watch(i); printf(word, i, j, p); }
#ifdef SUPERSET
#define HEAR(i,p,j) HEAR1(i,rf,saidrf,p,j,"%d hears: %d refuses %d\n")
#else
#define HEAR(i,p,j) HEAR1(i,sg,saidsg,p,j,"%d hears: %d signs %d\n") HEAR1(i,rf,saidrf,p,j,"%d hears: %d refuses %d\n") \
                    HEAR1(i,cf,saidcf,p,j,"%d hears: %d confirms %d\n")
#endif

#ifdef EXCLUDE
/* All others but those already excluded, and two at least. One bit more or two: a sum says which. */
#define OTHERS(i,x) (NOT(BIT(x)) & NOT(gone[i]))
#define TWO(m) ((m) != 0 && ((m) & ((m)-1)) != 0)
inline settle(i) {
  again = 1;
  do
  :: again -> again = 0; k = 0;
     do
     :: k < N && !(gone[i] & BIT(k)) && TWO(OTHERS(i,k)) && (ex[(i)*N+k] & OTHERS(i,k)) == OTHERS(i,k) ->
          gone[i] = gone[i] | BIT(k); again = 1; k++
     :: k < N && !(!(gone[i] & BIT(k)) && TWO(OTHERS(i,k)) && (ex[(i)*N+k] & OTHERS(i,k)) == OTHERS(i,k)) -> k++
     :: k == N -> break
     od
  :: !again -> break
  od;
  k = 0;
  watch(i);
}
#ifdef MANY_PENDING
#define PENDING(i,x,y) 0
#else
/* What was signed is in the anchor file, so a restored node knows it. */
#define PENDING(i,x,y) ((y) != (x) && (saidex[y] & BIT(i)) && !(gone[i] & BIT(y)))
#endif
#if N == 3
#define ANYPENDING(i,x) (PENDING(i,x,0) || PENDING(i,x,1) || PENDING(i,x,2))
#elif N == 4
#define ANYPENDING(i,x) (PENDING(i,x,0) || PENDING(i,x,1) || PENDING(i,x,2) || PENDING(i,x,3))
#else
#define ANYPENDING(i,x) (PENDING(i,x,0) || PENDING(i,x,1) || PENDING(i,x,2) || PENDING(i,x,3) || PENDING(i,x,4))
#endif
#ifdef MUTUAL
#define CROSS(i,x) 0
#else
#define CROSS(i,x) ((x) < HON && (saidex[i] & BIT(x)))
#endif
#define EXPEL(i,x) \
  :: d_step { (i) != (x) && !(saidex[x] & BIT(i)) && !(gone[i] & BIT(x)) && TWO(OTHERS(i,x)) && \
              !ANYPENDING(i,x) && !CROSS(i,x) -> \
              saidex[x] = saidex[x] | BIT(i); ex[(i)*N+(x)] = ex[(i)*N+(x)] | BIT(i); settle(i); \
              printf("%d excludes %d\n", i, x); }
#define HEAREX(i,x,j) \
  :: d_step { (j) != (x) && ((saidex[x] | LYING) & BIT(j)) && !(ex[(i)*N+(x)] & BIT(j)) -> \
              ex[(i)*N+(x)] = ex[(i)*N+(x)] | BIT(j); settle(i); \
              printf("%d hears: %d excludes %d\n", i, j, x); }
#define HEARALLEX(i,j) HEAREX(i,0,j) HEAREX(i,1,j) HEAREX(i,2,j) HEAREX3(i,j) HEAREX4(i,j)
#define EXPELALL(i) EXPEL(i,0) EXPEL(i,1) EXPEL(i,2) EXPEL3(i) EXPEL4(i)
#if N > 3
#define HEAREX3(i,j) HEAREX(i,3,j)
#define EXPEL3(i) EXPEL(i,3)
#else
#define HEAREX3(i,j)
#define EXPEL3(i)
#endif
#if N > 4
#define HEAREX4(i,j) HEAREX(i,4,j)
#define EXPEL4(i) EXPEL(i,4)
#else
#define HEAREX4(i,j)
#define EXPEL4(i)
#endif
#else
#define HEARALLEX(i,j)
#define EXPELALL(i)
#endif

#ifdef RESTORE
#ifdef FORGET_LOCK
#define LOSE(i) lock[i] = 0;
#else
#define LOSE(i)
#endif
#define SETBACK(i) \
  :: d_step { (i) < RESTORE -> AT(sg,i,0) = 0; AT(sg,i,1) = 0; AT(rf,i,0) = 0; AT(rf,i,1) = 0; \
              AT(cf,i,0) = 0; AT(cf,i,1) = 0; gone[i] = 0; seen[i] = 0; \
              k = 0; do :: k < N -> ex[(i)*N+k] = 0; k++ :: k == N -> break od; k = 0; LOSE(i) \
              printf("%d is restored from an old backup\n", i); }
#else
#define SETBACK(i)
#endif

#ifdef NO_DECISIONS
#define SAYALL(i)
#define HEARALL(i,j)
#else
#define SAYALL(i) SAY(i,0) SAY(i,1)
#define HEARALL(i,j) HEAR(i,0,j) HEAR(i,1,j)
#endif
#define FROM(i,j) HEARALL(i,j) HEARALLEX(i,j)
#define NODE(i) SAYALL(i) EXPELALL(i) SETBACK(i) FROM(i,0) FROM(i,1) FROM(i,2) FROM3(i) FROM4(i)
#if N > 3
#define FROM3(i) FROM(i,3)
#else
#define FROM3(i)
#endif
#if N > 4
#define FROM4(i) FROM(i,4)
#else
#define FROM4(i)
#endif

/* Blocked only with a proof. Looked at when all honest nodes know the same and none can go on alone:
 * whoever has locked a proposal is followed by all honest ones, and when every proposal was refused
 * a new one can be signed; else somebody has both signed and refused, or confirmed twice. */
#if N == 3 && LIARS == 1 && !defined(SUPERSET) && !defined(RESTORE) && !defined(EXCLUDE)
#define SAME(a,said,p) (AT(a,0,p) == AT(a,1,p) && (AT(a,0,p) & said[p]) == said[p])
#define QUIET (SAME(sg,saidsg,0) && SAME(sg,saidsg,1) && SAME(rf,saidrf,0) && SAME(rf,saidrf,1) && \
  SAME(cf,saidcf,0) && SAME(cf,saidcf,1) && !MAYCONFIRM(0,0) && !MAYCONFIRM(0,1) && \
  !MAYCONFIRM(1,0) && !MAYCONFIRM(1,1))
#define PROOF ((AT(sg,0,0) & AT(rf,0,0)) || (AT(sg,0,1) & AT(rf,0,1)) || (AT(cf,0,0) & AT(cf,0,1)))
#define LOCKED(p) (lock[0] == (p)+1 || lock[1] == (p)+1)
#define FOLLOWED(p) ((AT(cf,0,p) & HONEST) == HONEST)
#define FRESH(i) (FREE(i,0) && FREE(i,1))
#define LOOK :: d_step { QUIET && !PROOF -> \
  assert(!LOCKED(0) || FOLLOWED(0)); assert(!LOCKED(1) || FOLLOWED(1)); \
  assert(!(REFUSED(0,0) && REFUSED(0,1)) || (FRESH(0) && FRESH(1))); }
#else
#define LOOK
#endif

/* Whoever has heard the same exclusions leaves out the same parties, in whatever order they came. */
#ifdef EXCLUDE
#define SAMEX(i,j,x) (ex[(i)*N+(x)] == ex[(j)*N+(x)])
#if N == 3
#define SAMEALL(i,j) (SAMEX(i,j,0) && SAMEX(i,j,1) && SAMEX(i,j,2))
#else
#define SAMEALL(i,j) (SAMEX(i,j,0) && SAMEX(i,j,1) && SAMEX(i,j,2) && SAMEX(i,j,3))
#endif
#define AGREE(i,j) :: d_step { SAMEALL(i,j) -> assert(gone[i] == gone[j]); }
#else
#define AGREE(i,j)
#endif

active proctype World() {
  d_step {
    req[0] = ALL; req[1] = ALL;
  }
#ifdef EXCLUDE
  if  /* whom each proposal leaves out */
  :: req[0] = ALL - BIT(N-1)
  :: req[0] = ALL - BIT(0)
#ifndef LEAN
  :: req[0] = ALL
  :: req[0] = ALL - BIT(1)
#endif
  fi;
  if
  :: req[1] = ALL
  :: req[1] = ALL - BIT(1)
#ifndef LEAN
  :: req[1] = ALL - BIT(0)
  :: req[1] = ALL - BIT(N-1)
#endif
  fi;
#endif
end:
  do
  NODE(0)
#if HON > 1
  NODE(1)
#endif
#if HON > 2
  NODE(2)
#endif
#if HON > 3
  NODE(3)
#endif
#if HON > 1
  AGREE(0,1)
#endif
#if HON > 2
  AGREE(0,2) AGREE(1,2)
#endif
  LOOK
  od
}
