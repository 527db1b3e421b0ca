// The kinds of calls: one push notification each, to one user or token, at once or later.

const TEXT = 'The goal that decides the match came in the last minute of extra time. Watch it.'
/** The time from the call to its `send_at`, in seconds. */
export const DELAY_SECONDS = 5
/** The most groups of calls between a delayed send and its cancellation; see `makeDelayedCall`. */
const MAX_CANCEL_LAG = 20
const GROUP = 3

/** The users, each with two devices, among which the calls choose in turn. */
export const USERS = 10_000

/** The name of a kind in options and in the history. */
export const KIND_NAMES = ['user', 'token', 'delayed', 'batch'] as const
export type KindName = (typeof KIND_NAMES)[number]

/** The kinds in words, for the table. */
export const KIND_TEXTS: Record<KindName, string> = {
  user: 'one user with two devices',
  token: 'one raw token',
  delayed: `send_at in ${DELAY_SECONDS} s, half cancelled`,
  batch: 'batch of send and publish',
}

/** A call of the API. */
export interface Call {
  path: string
  body: string
  /** The pushes that it causes unless it is refused or cancelled. */
  pushes: number
  /** The uid of a send that another call may cancel. */
  uid?: string
  /** The uid of the send that this call cancels. */
  cancels?: string
}

/** Makes call number `number` of a run. Undefined: the run has no such call. */
export type MakeCall = (number: number, dueMs: number) => Call | undefined

/**
 * Makes the calls of a kind. Each notification contains the time at which the call is due, and the stub of FCM reads it.
 * @param run a text that no other run has
 * @param rate calls a second; undefined if they are made as fast as they are answered
 */
export function makeKind(kind: KindName, run: string, rate: number | undefined): MakeCall {
  switch (kind) {
    case 'user':
      return (number, dueMs) => sendCall({ filter: { users: [userOf(number)] } }, dueMs, 2)
    case 'token':
      return (number, dueMs) => sendCall({ fcm_tokens: [tokenOf(run, number)] }, dueMs, 1)
    case 'batch':
      return (number, dueMs) => {
        const { body, pushes } = sendCall({ filter: { users: [userOf(number)] } }, dueMs, 2)
        const publish = `{"publish":{"channel":"chat:${number}","data":{"text":"${TEXT}"}}}`
        return { path: '/api/batch', body: `{"commands":[{"send_push_notification":${body}},${publish}]}`, pushes }
      }
    case 'delayed':
      return makeDelayedCall(run, rate)
  }
}

/** The user of a call. */
export function userOf(number: number): string {
  return `user:${number % USERS}`
}

/** A token of FCM's length. */
export function tokenOf(run: string, number: number): string {
  return `${run}-${number}:APA91b`.padEnd(163, 'x')
}

/**
 * Each group of three calls has two delayed sends, and a cancellation of the second send of an earlier group. That group
 * is about a second old, less at high rates.
 */
function makeDelayedCall(run: string, rate: number | undefined): MakeCall {
  const lag = rate === undefined ? MAX_CANCEL_LAG : Math.min(MAX_CANCEL_LAG, Math.max(1, Math.round(rate / GROUP)))
  return (number, dueMs) => {
    const group = Math.floor(number / GROUP)
    if (number % GROUP === 2) {
      const uid = `${run}-${(group - lag) * GROUP + 1}`
      return group < lag ? undefined : { path: '/api/cancel_push', body: `{"uid":"${uid}"}`, pushes: 0, cancels: uid }
    }
    const nowMs = Date.now()
    const sendAt = Math.ceil(nowMs / 1000) + DELAY_SECONDS
    const uid = `${run}-${number}`
    const sendAtMs = dueMs + sendAt * 1000 - nowMs
    const recipient = { filter: { users: [userOf(number)] } }
    return { ...sendCall(recipient, sendAtMs, 2, { uid, send_at: sendAt }), uid }
  }
}

function sendCall(recipient: object, atMs: number, pushes: number, more: object = {}): Call {
  const message = { notification: { title: 'Breaking', body: TEXT }, data: { at: atMs.toFixed(2) } }
  const body = JSON.stringify({ recipient, notification: { fcm: { message } }, ...more })
  return { path: '/api/send_push_notification', body, pushes }
}
