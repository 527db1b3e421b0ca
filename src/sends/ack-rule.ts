/**
 * How a user's client took notice of the publication of a send: its screen showed it to the user (`seen`), or it only
 * arrived (`received`).
 */
export type AckKind = 'seen' | 'received'

/** The acks that make the pushes of a send unnecessary. */
export interface AckRule {
  /** `user`: an ack of any device stops the pushes to all devices of its user. `device`: only that to the device. */
  scope: 'user' | 'device'
  /** The weakest kind of ack that counts: with `received` both kinds do. */
  kind: AckKind
}

/** The rule of sends that name none, such as those of `send_push_notification`. */
export const DEFAULT_ACK_RULE: AckRule = { scope: 'user', kind: 'seen' }

/** The kinds of acks that a rule counts. */
export function countedKinds({ kind }: AckRule): readonly AckKind[] {
  return kind === 'seen' ? ['seen'] : ['seen', 'received']
}
