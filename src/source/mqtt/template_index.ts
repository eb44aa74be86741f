/**
 * Which of many templates fits a topic first: a tree over the levels of their filters, so that of a thousand templates only those are
 * tried that can fit. What a template says to the topic is left to itself.
 *
 * @module
 */
import type { TopicTemplate } from "./topic_template.ts";

/** The first template in the list that fits a topic. */
export interface FirstFit {
  /** Its place in the list. */
  readonly place: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** A level of the filters. Places of templates ascend. */
interface Node {
  readonly literals: Map<string, Node>;
  /** What follows a wildcard for one level. */
  one: Node | null;
  /** Templates that end here. */
  readonly ends: number[];
  /** Templates that take all that follows. */
  readonly rests: number[];
}

/** Makes the search. It costs the levels of the topic and the templates that can fit it, however many there are. */
export function createTemplateIndex(templates: readonly TopicTemplate[]): (topic: string) => FirstFit | null {
  const root = newNode();
  for (const [place, { topicFilter }] of templates.entries()) grow(root, topicFilter.split("/"), place);
  return (topic) => {
    for (const place of candidates(root, topic)) {
      const fields = templates[place]?.match(topic) ?? null;
      if (fields !== null) return { place, fields };
    }
    return null;
  };
}

function newNode(): Node {
  return { literals: new Map(), one: null, ends: [], rests: [] };
}

function grow(root: Node, levels: readonly string[], place: number): void {
  let node = root;
  for (const level of levels) {
    if (level === "#") return void node.rests.push(place);
    if (level === "+") node = node.one ??= newNode();
    else node = literalOf(node, level);
  }
  node.ends.push(place);
}

function literalOf(node: Node, level: string): Node {
  const known = node.literals.get(level);
  if (known !== undefined) return known;
  const next = newNode();
  node.literals.set(level, next);
  return next;
}

/** Places of the templates that may fit, in the order of the list. Level by level: a topic may have thousands of them. */
function candidates(root: Node, topic: string): readonly number[] {
  const places = [...root.rests];
  let nodes = [root];
  for (const level of topic.split("/")) {
    const below: Node[] = [];
    for (const { literals, one } of nodes) {
      const literal = literals.get(level);
      if (literal !== undefined) below.push(literal);
      if (one !== null) below.push(one);
    }
    nodes = below;
    if (nodes.length === 0) break;
    for (const { rests } of nodes) places.push(...rests);
  }
  for (const { ends } of nodes) places.push(...ends);
  return places.sort((a, b) => a - b);
}
