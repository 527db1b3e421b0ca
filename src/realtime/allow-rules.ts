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
    const patterns = this.#topics.map((pattern) => compilePattern(pattern, user))
    if (topics.every((topic) => patterns.some((pattern) => pattern.test(topic)))) return
    throw new ApiError('permissionDenied', 'topics: client_push.topics does not allow all of them')
  }

  /** Checks the names in a client's `meta`. @throws ApiError permissionDenied */
  checkMeta(meta: ReadonlyMap<string, string>): void {
    if ([...meta.keys()].every((key) => this.#metaKeys.has(key))) return
    throw new ApiError('permissionDenied', 'meta: client_push.meta_keys does not allow all of its names')
  }
}

/** A regular expression that matches whole topics. The characters of the user stand for themselves. */
function compilePattern(pattern: string, user: string): RegExp {
  const source = pattern
    .split(/(\*|\{user\})/)
    .map((part) => (part === '*' ? '.*' : quote(part === '{user}' ? user : part)))
    .join('')
  return new RegExp(`^${source}$`, 's')
}

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
