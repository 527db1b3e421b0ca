// The calls whose cost is compared. Two servers get the same bodies.
import { type KindName, makeKind, tokenOf, userOf } from '../singles/kinds.ts'

/** A call of the API. */
export interface ApiCall {
  path: string
  body: string
  /** The pushes that it causes. */
  pushes: number
}

/** A kind of calls. */
export interface CallKind {
  text: string
  /** The call that has to be made before the measured one. @param run a text that no other round has */
  before?(run: string, number: number): ApiCall
  /** The measured call. */
  make(run: string, number: number): ApiCall
}

const HOUR_SECONDS = 3600

/** The kinds by their names in options. */
export const CALL_KINDS: Record<string, CallKind> = {
  new: { text: 'device_register, new', make: (run, number) => register(run, number) },
  again: {
    text: 'device_register, the same again',
    before: (run, number) => register(run, number),
    make: (run, number) => register(run, number),
  },
  list: {
    text: 'device_list of a user with its topics',
    make: (_, number) =>
      call('device_list', { filter: { users: [userOf(number)] }, include_topics: true, include_meta: true }),
  },
  topics: {
    text: 'device_topic_list of a user',
    make: (_, number) => call('device_topic_list', { filter: { device_users: [userOf(number)] } }),
  },
  token: sends('token', 'send to one token'),
  user: sends('user', 'send to a user with two devices'),
  cancel: {
    text: 'cancel_push of a send in an hour',
    before: (run, number) =>
      call('send_push_notification', {
        uid: `${run}-${number}`,
        recipient: { filter: { users: [userOf(number)] } },
        notification: { fcm: { message: { notification: { title: 'Breaking', body: 'The goal' } } } },
        send_at: Math.floor(Date.now() / 1000) + HOUR_SECONDS,
      }),
    make: (run, number) => call('cancel_push', { uid: `${run}-${number}` }),
  },
}

function sends(name: KindName, text: string): CallKind {
  return {
    text,
    make: (run, number) => {
      const made = makeKind(name, run, undefined)(number, Date.now())
      if (!made) throw new Error(`no call ${number} of ${name}`)
      return { path: made.path, body: made.body, pushes: made.pushes }
    },
  }
}

function register(run: string, number: number): ApiCall {
  return call('device_register', {
    provider: 'fcm',
    token: tokenOf(`${run}-device`, number),
    platform: 'android',
    user: userOf(number),
    topics: ['news', `city:${number % 500}`, `team:${number % 40}`],
    timezone: 'Europe/Berlin',
    locale: 'de-DE',
    meta: { app: '4.2.0' },
  })
}

function call(method: string, request: object): ApiCall {
  return { path: `/api/${method}`, body: JSON.stringify(request), pushes: 0 }
}
