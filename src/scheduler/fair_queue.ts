/**
 * Who is next: start-time fair queueing among flows with weights. Each flow has a start tag S, in rows divided by its weight; the flow
 * with the least S is served and its S moves on by what it got. Between two flows that both have work all the time, what they got,
 * divided by their weights, never differs by more than a quantum of each. A flow without work saves nothing up: when it
 * comes back it starts at the virtual time v, the start tag of the one served last.
 *
 * Source: Goyal, Vin, Cheng, "Start-time Fair Queuing", SIGCOMM 1996.
 *
 * @module
 */

/** What the queue must know of a member. */
export interface Weighted {
  /** Share among the members, > 0. */
  readonly weight: number;
}

/** An order among members; see the module's comment. */
export interface FairQueue<M extends Weighted> {
  readonly members: readonly M[];
  /**
   * The busy member that is next, or null when none is busy; ties go to the first in the list. Asks each member, or only those that were
   * busy when they were last asked, when the caller knows that no other has become so.
   */
  next(isBusy: (member: M) => boolean, among?: "all" | "busy"): M | null;
  /** The member that `next` gave was served this many rows. */
  served(member: M, rows: number): void;
  /** Another weight for a member from now on; what it got before stays as it was. */
  setWeight(member: M, weight: number): void;
}

/**
 * Makes a {@linkcode FairQueue}. A look at all members costs their number: there are tens of folders, but there may be a thousand
 * subscriptions, which is why it need not be at all of them each time.
 *
 * Tags are doubles: at a million rows/s they stay exact to a thousandth of a row for a quarter of a year, and then to a tenth for
 * decades.
 *
 * @throws {Error} when a weight is not above 0.
 */
export function createFairQueue<M extends Weighted>(members: readonly M[]): FairQueue<M> {
  for (const { weight } of members) checkWeight(weight);
  /** v */
  let virtualTime = 0;
  const tags = new Map<M, Tag<M>>(
    members.map((member) => [member, { member, start: 0, busy: false, weight: member.weight }]),
  );
  const all = [...tags.values()];
  /** Those that were busy when last asked, in the order of the list. */
  let busyTags: readonly Tag<M>[] = all;

  function tagOf(member: M): Tag<M> {
    const tag = tags.get(member);
    if (tag === undefined) throw new Error("The flow is not a member of the queue");
    return tag;
  }

  return {
    members,
    next(isBusy, among = "all") {
      const asked = among === "all" ? all : busyTags;
      let best: Tag<M> | null = null;
      let busyCount = 0;
      for (const tag of asked) {
        const busy = isBusy(tag.member);
        if (busy && !tag.busy) tag.start = Math.max(virtualTime, tag.start);
        tag.busy = busy;
        if (!busy) continue;
        busyCount += 1;
        if (best === null || tag.start < best.start) best = tag;
      }
      if (asked !== busyTags || busyCount < asked.length) busyTags = asked.filter((tag) => tag.busy);
      return best?.member ?? null;
    },
    served(member, rows) {
      const tag = tagOf(member);
      virtualTime = tag.start;
      tag.start += rows / tag.weight;
    },
    setWeight(member, weight) {
      checkWeight(weight);
      tagOf(member).weight = weight;
    },
  };
}

function checkWeight(weight: number): void {
  if (!(weight > 0 && weight < Infinity)) throw new Error(`A weight must be above 0, but is ${weight}`);
}

interface Tag<M> {
  readonly member: M;
  /** S while the member is busy; F, the finish of what it got last, while it is not. */
  start: number;
  /** Whether it had work when last asked. */
  busy: boolean;
  weight: number;
}
