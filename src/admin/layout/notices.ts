/** A sentence at the top of a page, about the action before it. */
export interface Notice {
  /** The text. `{count}` stands for the number of things that the action has changed. */
  text: string
  isError?: boolean
}

/** All notices, by the name in the link. */
export const NOTICES: Readonly<Record<string, Notice>> = {
  paused: { text: 'The provider is paused. Its pushes are accepted and wait in the queue.' },
  resumed: { text: 'The provider is resumed.' },
  cancelled: { text: 'The send is cancelled. Pushes that were handed to a provider before may still arrive.' },
  excluded: {
    text: 'The pushes of this send to that user or device are cancelled, unless they were handed over before.',
  },
  retried: { text: 'Targets that are sent again: {count}.' },
  dropped: { text: 'Targets deleted from the dead letters: {count}.' },
  added: { text: 'The test device is registered. “Send a test push” sends the first push to it.' },
  removed: { text: 'The device is removed.' },
  restored: { text: 'Devices restored: {count}.' },
  topics: { text: 'The topics are changed.' },
  sent: { text: 'The send is accepted. This page follows it.' },
}
