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
import { createHeap } from "./heap.ts";

/** What the queue must know of a member. */
export interface Weighted {
  /** Share among the members, > 0. */
  readonly weight: number;
}

/** An order among members; see the module's comment. */
export interface FairQueue<M extends Weighted> {
  readonly members: readonly M[];
  /**
   * The busy member that is next, or null when none is busy; ties go to the first in the list. Whether an idle one has become busy is asked
   * of each (`all`), or of none (`busy`), when the caller knows that none has.
   */
  next(isBusy: (member: M) => boolean, among?: "all" | "busy"): M | null;
  /**
   * The member that `next` gave just now was served this many rows.
   *
   * @throws {Error} when it is another one.
   */
  served(member: M, rows: number): void;
  /** Another weight for a member from now on; what it got before stays as it was. */
  setWeight(member: M, weight: number): void;
}

/**
 * Makes a {@linkcode FairQueue}. Asking all members costs their number; a turn among the busy ones costs the logarithm of it, for there may
 * be a thousand subscriptions.
 *
 * A member that ran out of work is noticed when it would be next, and not before. Should it have work again by then, nothing is different:
 * what was served meanwhile had lesser tags, so the virtual time has not passed its own.
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
  const all = members.map((member, place): Tag<M> => ({ member, place, start: 0, busy: false, weight: member.weight }));
  const tags = new Map(all.map((tag) => [tag.member, tag]));
  const busyTags = createHeap<Tag<M>>(isBefore);

  return {
    members,
    next(isBusy, among = "all") {
      if (among === "all") {
        for (const tag of all) {
          if (tag.busy || !isBusy(tag.member)) continue;
          tag.start = Math.max(virtualTime, tag.start);
          tag.busy = true;
          busyTags.add(tag);
        }
      }
      for (let tag = busyTags.first(); tag !== null; tag = busyTags.first()) {
        if (isBusy(tag.member)) return tag.member;
        tag.busy = false;
        busyTags.removeFirst();
      }
      return null;
    },
    served(member, rows) {
      const tag = busyTags.first();
      if (tag?.member !== member) throw new Error("The flow that was served is not the one that is next");
      virtualTime = tag.start;
      tag.start += rows / tag.weight;
      busyTags.firstChanged();
    },
    setWeight(member, weight) {
      checkWeight(weight);
      const tag = tags.get(member);
      if (tag === undefined) throw new Error("The flow is not a member of the queue");
      tag.weight = weight;
    },
  };
}

function isBefore<M>(a: Tag<M>, b: Tag<M>): boolean {
  return a.start < b.start || (a.start === b.start && a.place < b.place);
}

function checkWeight(weight: number): void {
  if (!(weight > 0 && weight < Infinity)) throw new Error(`A weight must be above 0, but is ${weight}`);
}

interface Tag<M> {
  readonly member: M;
  /** In the list of members. */
  readonly place: number;
  /** S while the member is busy; F, the finish of what it got last, while it is not. */
  start: number;
  /** Whether it had work when last asked: it is in the heap then. */
  busy: boolean;
  weight: number;
}
