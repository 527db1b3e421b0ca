// The topics and meta names that clients may choose for their devices. Servers may choose any: a client that subscribes
// to the topic of others would get their pushes.
import { ApiError } from '../protocol/errors.ts'

/** The rules of the configuration. */
export interface AllowOptions {
  /** Patterns of topics: `*` stands for any characters, `{user}` for the user. */
  topics: readonly string[]
  metaKeys: readonly string[]
}

/** Checks the topics and meta that a client chooses for its devices. */
export class AllowRules {
  readonly #topics: readonly string[]
  readonly #metaKeys: ReadonlySet<string>

  constructor({ topics, metaKeys }: AllowOptions) {
    this.#topics = topics
    this.#metaKeys = new Set(metaKeys)
  }

  /** Checks the topics that a client of `user` names. @throws ApiError permissionDenied */
  checkTopics(user: string, topics: readonly string[]): void {
    if (topics.length === 0) return
    const patterns = this.#topics.map((pattern) => splitPattern(pattern, user))
    if (topics.every((topic) => patterns.some((parts) => matches(topic, parts)))) return
    throw new ApiError('permissionDenied', 'topics: client_push.topics does not allow all of them')
  }

  /** Checks the names in a client's `meta`. @throws ApiError permissionDenied */
  checkMeta(meta: ReadonlyMap<string, string>): void {
    if ([...meta.keys()].every((key) => this.#metaKeys.has(key))) return
    throw new ApiError('permissionDenied', 'meta: client_push.meta_keys does not allow all of its names')
  }
}

/** The texts between the `*` of a pattern. The characters of the user stand for themselves. */
function splitPattern(pattern: string, user: string): string[] {
  return pattern.split('*').map((part) => part.replaceAll('{user}', () => user))
}

/**
 * Whether a whole topic consists of these texts in their order, with any characters between them. The first place of
 * each text is enough, so the time grows with the length of the topic only: a regular expression would try all places.
 */
function matches(topic: string, [first = '', ...others]: readonly string[]): boolean {
  const last = others.pop()
  if (last === undefined) return topic === first
  if (!topic.startsWith(first)) return false
  let at = first.length
  for (const part of others) {
    const found = topic.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return topic.length - at >= last.length && topic.endsWith(last)
}
