// The rows of the benchmark: broadcasts to a million devices, one after another over seven days. Both stores make them
// by SQL from the number of the row.

/** The devices of each broadcast. */
export const DEVICES = 1_000_000
/** The users. Each has three or four devices. */
export const USERS = 300_000
/** Every how many rows there is an attempt, a failure, and a report of an app. */
export const ATTEMPT_EVERY = 100
export const FAILURE_EVERY = 20
export const REPORT_EVERY = 30
/** The seconds of seven days, without the last minutes, so that no row is in the future. */
export const SECONDS = 7 * 86_400 - 600

/** The id of a device. */
export function nameDevice(number: number): string {
  return `01H${String(number).padStart(23, '0')}-fcm`
}

/** The user of a device. */
export function nameUser(device: number): string {
  return `user-${device % USERS}`
}

/** The uid of a broadcast. */
export function nameSend(number: number): string {
  return `send-${number}`
}
