/* Nothing that was answered for is lost on its way through a relay. Protocol 9 and 10.
 *
 * A sender deposits parcels, the relay keeps them until the recipient acknowledges, the recipient writes
 * durably and then acknowledges. Any of the three may be killed at any time and any message may be lost
 * or repeated. Time, the 28 days, is left out: here a relay may only forget what was acknowledged.
 * Twins:
 *   ERASE_ON_FETCH  the relay forgets a parcel when it has handed it out
 *   ACK_FIRST       the recipient acknowledges before its write is durable
 *   EARLY_ANSWER    the relay answers a deposit before it is durable
 *   FORGET_UNSURE   the sender forgets a parcel whose deposit got no answer
 */
#define M 2                       /* parcels, one bit each */
#define BIT(x) (1 << (x))

byte queue;                       /* sender, durable: not answered for yet */
byte answered;                    /* sender: the relay said "kept" */
byte relay;                       /* relay, durable */
byte relaymem;                    /* relay, received and not yet written */
byte wire, wireback;              /* deposits and answers under way */
byte fetched;                     /* recipient, in memory */
byte have;                        /* recipient, durable */
byte acks;                        /* acknowledgements under way */

/* A parcel is queued, or at the relay, or at the recipient: somewhere durable, always. And whatever
 * the relay answered for is at the relay or beyond. */
inline promise() {
  assert(((queue | relay | have) & (BIT(M)-1)) == BIT(M)-1);
  assert((answered & ~(relay | have)) == 0);
}

#define PARCEL(x) \
  :: d_step { (queue & BIT(x)) && !(wire & BIT(x)) -> wire = wire | BIT(x); FORGET(x) promise() } \
  :: d_step { (wire & BIT(x)) -> relaymem = relaymem | BIT(x); ANSWER(x) promise() } \
  :: d_step { (wire & BIT(x)) -> wire = wire & ~BIT(x) } \
  :: d_step { (relaymem & BIT(x)) && !(have & BIT(x)) -> relay = relay | BIT(x); relaymem = relaymem & ~BIT(x); \
              wireback = wireback | BIT(x); promise() } \
  :: d_step { (relaymem & BIT(x)) && (have & BIT(x)) -> relaymem = relaymem & ~BIT(x); \
              wireback = wireback | BIT(x); promise() } \
  :: d_step { (wireback & BIT(x)) -> answered = answered | BIT(x); queue = queue & ~BIT(x); promise() } \
  :: d_step { (wireback & BIT(x)) -> wireback = wireback & ~BIT(x) } \
  :: d_step { (relay & BIT(x)) -> fetched = fetched | BIT(x); FETCHED(x) promise() } \
  :: d_step { (fetched & BIT(x)) -> have = have | BIT(x); fetched = fetched & ~BIT(x); \
              acks = acks | BIT(x); promise() } \
  ACKFIRST(x) \
  :: d_step { (acks & BIT(x)) -> relay = relay & ~BIT(x); promise() } \
  :: d_step { (acks & BIT(x)) -> acks = acks & ~BIT(x) }

#ifdef FORGET_UNSURE
#define FORGET(x) queue = queue & ~BIT(x);
#else
#define FORGET(x)
#endif
#ifdef EARLY_ANSWER
#define ANSWER(x) wireback = wireback | BIT(x);
#else
#define ANSWER(x)
#endif
#ifdef ERASE_ON_FETCH
#define FETCHED(x) relay = relay & ~BIT(x);
#else
#define FETCHED(x)
#endif
#ifdef ACK_FIRST
#define ACKFIRST(x) :: d_step { (fetched & BIT(x)) -> acks = acks | BIT(x) }
#else
#define ACKFIRST(x)
#endif

active proctype World() {
  d_step { queue = BIT(M)-1 }
end:
  do
  PARCEL(0)
  PARCEL(1)
  :: d_step { relaymem != 0 -> relaymem = 0; promise() }   /* the relay is killed */
  :: d_step { fetched != 0 -> fetched = 0; promise() }     /* the recipient is killed */
  od
}
