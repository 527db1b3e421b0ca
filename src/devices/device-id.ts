// The id of a device is `<ULID>-<provider>`. The tables store the 128 bits of the ULID as a uuid: both sort in the same
// order.
import { randomUUID } from 'node:crypto'
import { isProviderName, type ProviderName } from '../config/provider-names.ts'

/** The two parts of a device's id. */
export interface DeviceId {
  /** The ULID as PostgreSQL writes a uuid: lower case, with dashes. */
  uuid: string
  provider: ProviderName
}

/** A uuid that sorts before the uuid of every device. */
export const FIRST_UUID = '00000000-0000-0000-0000-000000000000'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const DEVICE_ID = /^([0-7][0-9A-HJKMNP-TV-Z]{25})-([a-z]+)$/

// A ULID is converted in groups: 5 hex digits are 4 base-32 digits, so it has two digits for the first byte and six
// groups of four. A conversion digit by digit would be too slow for walks over millions of ids.
const TIME_HEX = 12
const GROUP_HEX = 5
const GROUP_BASE32 = 4
const PAIRS = [...ALPHABET].flatMap((high) => [...ALPHABET].map((low) => high + low))
const [DASH, DIGIT_0, LETTER_A] = [0x2d, 0x30, 0x61]
const PAIR_VALUES = new Map(PAIRS.map((pair, value) => [pair, value]))

/**
 * The uuid of a new device: 48 bits of time and 80 random bits, as in a ULID, so later uuids sort after earlier ones.
 */
export function makeDeviceUuid(nowMs: number): string {
  const time = Math.floor(nowMs).toString(16).padStart(TIME_HEX, '0')
  // The random digits come from a UUID v4. Two of its middle groups have a digit that is not random, so these are left
  // out. The `ulid` package is not used: it reads random bytes from the system for each digit, which takes as long as
  // the rest of a registration.
  const random = randomUUID()
  return `${time.slice(0, 8)}-${time.slice(8)}-${random.slice(0, 4)}-${random.slice(4, 8)}-${random.slice(24)}`
}

/** Parses a device id as the API writes it; undefined if `text` is not a device id. */
export function parseDeviceId(text: string): DeviceId | undefined {
  const [, digits, provider] = DEVICE_ID.exec(text) ?? []
  if (digits === undefined || provider === undefined || !isProviderName(provider)) return undefined
  return { uuid: decodeUlid(digits), provider }
}

/** Makes a device id as the API writes it. @param uuid as PostgreSQL writes it: lower case, with dashes */
export function formatDeviceId(uuid: string, provider: ProviderName): string {
  return `${encodeUlid(uuid)}-${provider}`
}

/**
 * Converts a uuid to a ULID, character by character and without BigInt, because it can run for every target of a send.
 */
function encodeUlid(uuid: string): string {
  let digits = PAIRS[Number.parseInt(uuid.slice(0, 2), 16)] ?? ''
  let group = 0
  let length = 0
  for (let at = 2; at < uuid.length; at++) {
    const code = uuid.charCodeAt(at)
    if (code === DASH) continue
    group = group * 16 + (code < LETTER_A ? code - DIGIT_0 : code - LETTER_A + 10)
    length++
    if (length < GROUP_HEX) continue
    digits += `${PAIRS[group >> 10]}${PAIRS[group & 1023]}`
    group = 0
    length = 0
  }
  return digits
}

function decodeUlid(digits: string): string {
  let hex = pairValue(digits, 0).toString(16).padStart(2, '0')
  for (let at = 2; at < digits.length; at += GROUP_BASE32) {
    const group = pairValue(digits, at) * 1024 + pairValue(digits, at + 2)
    hex += group.toString(16).padStart(GROUP_HEX, '0')
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function pairValue(digits: string, at: number): number {
  return PAIR_VALUES.get(digits.slice(at, at + 2)) ?? 0
}
