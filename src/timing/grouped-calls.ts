/** The parts of grouped calls. */
export interface GroupedCallsDeps<Call, Result> {
  /** Executes a group. Resolves to the result of each call, in their order. Its error rejects all of them. */
  run(calls: readonly Call[]): Promise<readonly Result[]>
  /** The most calls of a group. */
  maxTogether: number
  /** The most groups that run at the same time; 1 by default. */
  maxRunning?: number
  /** A group has no two calls with the same key; by default all calls may share a group. */
  keyOf?(call: Call): string
  /** The error of a call that may not be executed any more, such as one after its deadline; undefined: it may. */
  findRefusal?(call: Call): Error | undefined
  /**
   * Whether one call may be the cause of a failed group's error. Then each call is executed again, alone, and has its
   * own result or error. So a call must have the same effect when it is executed twice. By default none is.
   */
  mayBeOfOneCall?(error: unknown): boolean
}

interface Waiting<Call, Result> {
  call: Call
  resolve(result: Result): void
  reject(error: unknown): void
}

/**
 * Executes concurrent calls in groups, so that they share a statement, its commit or a round trip. The calls that
 * arrive while a group runs form the next one. So a lone call waits for no other, and groups grow with the load.
 */
export class GroupedCalls<Call, Result> {
  readonly #deps: GroupedCallsDeps<Call, Result>
  #waiting: Waiting<Call, Result>[] = []
  #running = 0

  constructor(deps: GroupedCallsDeps<Call, Result>) {
    this.#deps = deps
  }

  /** Executes a call together with others that arrive at the same time. */
  add(call: Call): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => this.#waiting.push({ call, resolve, reject }))
    if (this.#running < (this.#deps.maxRunning ?? 1)) {
      this.#running++
      // In the next turn of the event loop, so that calls that were already read from other sockets join the group.
      setImmediate(() => void this.#runGroups())
    }
    return result
  }

  /** Runs group after group. Never rejects: an error rejects the promises of its group. */
  async #runGroups(): Promise<void> {
    for (let group = this.#takeGroup(); group.length > 0; group = this.#takeGroup()) await this.#runGroup(group)
    this.#running--
  }

  /** Takes the calls of the next group in the order of their arrival, and rejects those that are refused. */
  #takeGroup(): Waiting<Call, Result>[] {
    const { maxTogether, keyOf, findRefusal } = this.#deps
    const group: Waiting<Call, Result>[] = []
    const left: Waiting<Call, Result>[] = []
    const keys = new Set<string>()
    let seen = 0
    for (const waiting of this.#waiting) {
      if (group.length === maxTogether) break
      seen++
      const refusal = findRefusal?.(waiting.call)
      const key = keyOf?.(waiting.call)
      if (refusal) waiting.reject(refusal)
      else if (key !== undefined && keys.has(key)) left.push(waiting)
      else {
        group.push(waiting)
        if (key !== undefined) keys.add(key)
      }
    }
    this.#waiting = left.concat(this.#waiting.slice(seen))
    return group
  }

  async #runGroup(group: readonly Waiting<Call, Result>[]): Promise<void> {
    try {
      const results = await this.#deps.run(group.map(({ call }) => call))
      for (const [index, result] of results.entries()) group[index]?.resolve(result)
      if (results.length < group.length) throw new Error('a group of calls has no result for some of them')
    } catch (error) {
      const isRepeated = group.length > 1 && this.#deps.mayBeOfOneCall?.(error) === true
      for (const waiting of group) {
        // The next group does not wait for calls that are executed alone.
        if (isRepeated) void this.#runGroup([waiting])
        else waiting.reject(error)
      }
    }
  }
}
