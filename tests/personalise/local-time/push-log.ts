import { type Audience, zoneOf } from './audience.ts'

/**
 * The device and the time of each push. It has its full size from the start, so it does not look like a memory leak.
 */
export class PushLog {
  readonly #devices: Int32Array
  readonly #times: Float64Array
  #length = 0

  constructor(capacity: number) {
    this.#devices = new Int32Array(capacity)
    this.#times = new Float64Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  add(device: number, atMs: number): void {
    if (this.#length === this.#devices.length) throw new Error('more pushes than expected')
    this.#devices[this.#length] = device
    this.#times[this.#length] = atMs
    this.#length++
  }

  /** The numbers of devices with a push, with and without a zone. */
  countDevices(audience: Audience): { withZone: number; withoutZone: number } {
    const counts = { withZone: 0, withoutZone: 0 }
    for (const device of new Set(this.#devices.subarray(0, this.#length))) {
      if (zoneOf(audience, device) === undefined) counts.withoutZone++
      else counts.withZone++
    }
    return counts
  }

  /** A description of each push outside of a window, by the clock of its zone. The window must not cross midnight. */
  findOutside(audience: Audience, { afterMs, beforeMs }: { afterMs: number; beforeMs: number }): string[] {
    const formats = new Map(
      audience.zones.map((timeZone) => [timeZone, new Intl.DateTimeFormat('sv-SE', { timeZone, timeStyle: 'medium' })]),
    )
    return Array.from(this.#devices.subarray(0, this.#length)).flatMap((device, index) => {
      const zone = zoneOf(audience, device)
      const time = formats.get(zone ?? '')?.format(this.#times[index])
      const localMs = time === undefined ? Number.NaN : Date.parse(`1970-01-01T${time}Z`)
      return afterMs <= localMs && localMs < beforeMs ? [] : [`device ${device} in ${zone} at ${time}`]
    })
  }
}
