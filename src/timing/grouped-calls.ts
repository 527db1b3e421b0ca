/** The parts of grouped calls. */
export interface GroupedCallsDeps<Call, Result> {
  /**
   * Executes a group. Resolves to the result of each call, or the error of a call that fails alone, in their order. If
   * it rejects, its error rejects all calls of the group.
   */
  run(calls: readonly Call[]): Promise<readonly (Result | Error)[]>
  /** The most calls of a group. */
  maxTogether: number
  /** The size of a call; 0 by default. */
  sizeOf?(call: Call): number
  /** The most that the calls of a group may have in size together. A larger call is executed alone. */
  maxSize?: number
  /** The most groups that run at the same time; 1 by default. */
  maxRunning?: number
  /**
   * The least time between the starts of two groups in ms, except for full groups; 0 by default. Under a load, more
   * calls share a group then. A call waits for it only if another group has just started.
   */
  minIntervalMs?: number
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
  #isScheduled = false
  /** Set while the next group waits for its time. */
  #timer: NodeJS.Timeout | undefined
  #startedAtMs = Number.NEGATIVE_INFINITY

  constructor(deps: GroupedCallsDeps<Call, Result>) {
    this.#deps = deps
  }

  /** Executes a call together with others that arrive at the same time. */
  add(call: Call): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => this.#waiting.push({ call, resolve, reject }))
    if (this.#timer && this.#waiting.length >= this.#deps.maxTogether) this.#endWait()
    // In the next turn of the event loop, so that calls that were already read from other sockets join the group.
    if (this.#mayStart() && !this.#startLater()) {
      this.#isScheduled = true
      setImmediate(this.#start)
    }
    return result
  }

  #mayStart(): boolean {
    return !this.#isScheduled && this.#waiting.length > 0 && this.#running < (this.#deps.maxRunning ?? 1)
  }

  /** Whether the next group has to wait for its time, at which it starts then. */
  #startLater(): boolean {
    const { minIntervalMs = 0, maxTogether } = this.#deps
    if (minIntervalMs === 0 || this.#waiting.length >= maxTogether) return false
    const waitMs = this.#startedAtMs + minIntervalMs - performance.now()
    if (waitMs <= 0) return false
    this.#isScheduled = true
    this.#timer = setTimeout(this.#start, waitMs)
    return true
  }

  #endWait(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isScheduled = false
  }

  /** Starts as many groups as may run. */
  readonly #start = (): void => {
    this.#endWait()
    do {
      const group = this.#takeGroup()
      if (group.length === 0) return
      this.#running++
      this.#startedAtMs = performance.now()
      void this.#runGroup(group).then(() => {
        this.#running--
        if (this.#mayStart() && !this.#startLater()) this.#start()
      })
    } while (this.#mayStart() && !this.#startLater())
  }

  /** Takes the calls of the next group in the order of their arrival, and rejects those that are refused. */
  #takeGroup(): Waiting<Call, Result>[] {
    const { maxTogether, sizeOf, maxSize = Number.POSITIVE_INFINITY, keyOf, findRefusal } = this.#deps
    const group: Waiting<Call, Result>[] = []
    const left: Waiting<Call, Result>[] = []
    const keys = new Set<string>()
    let seen = 0
    let size = 0
    for (const waiting of this.#waiting) {
      const sizeWith = size + (sizeOf?.(waiting.call) ?? 0)
      if (group.length === maxTogether || (group.length > 0 && sizeWith > maxSize)) break
      seen++
      const refusal = findRefusal?.(waiting.call)
      const key = keyOf?.(waiting.call)
      if (refusal) waiting.reject(refusal)
      else if (key !== undefined && keys.has(key)) left.push(waiting)
      else {
        group.push(waiting)
        size = sizeWith
        if (key !== undefined) keys.add(key)
      }
    }
    this.#waiting = left.concat(this.#waiting.slice(seen))
    return group
  }

  /** Never rejects: an error rejects the promises of its group. */
  async #runGroup(group: readonly Waiting<Call, Result>[]): Promise<void> {
    try {
      const results = await this.#deps.run(group.map(({ call }) => call))
      for (const [index, result] of results.entries()) {
        if (result instanceof Error) group[index]?.reject(result)
        else group[index]?.resolve(result)
      }
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
