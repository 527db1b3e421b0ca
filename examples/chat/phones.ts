import * as v from 'valibot'
import type { WebPushSimulator } from '../../src/simulators/webpush/webpush-simulator.ts'
import type { ChatOptions } from './chat-server.ts'

const Payload = v.object({ title: v.string(), body: v.string() })

/** Simulated phones, one for each user: browsers of the simulator, with the names of the users. */
export function makePhones(simulator: WebPushSimulator): NonNullable<ChatOptions['phone']> {
  return {
    subscribe: (user) => simulator.subscribe(user),
    listShown: (user) =>
      simulator.accepted
        .filter(({ target }) => target === user)
        .map(({ body }) => v.parse(Payload, JSON.parse(body)))
        .map(({ title, body }) => `${title}: ${body}`),
  }
}
