// Acknowledges the publications that the user sees, so that no phone rings for them. For browsers, with centrifuge-js:
//
//   const acknowledge = acknowledgeSeen(centrifuge)
//   subscription.on('publication', acknowledge)

/** Uids are collected for this time, so that a burst of messages is one call. */
const COLLECT_MS = 300
/** A call that failed for a while is repeated after this time. */
const RETRY_MS = 2000
/** The most uids of one call. */
const MAX_UIDS = 500

/** A message counts as seen when its page is on screen and has the focus. */
function isSeen() {
  return document.visibilityState === 'visible' && document.hasFocus()
}

/** Returns a listener for publications. They are acknowledged as soon as the user can see the page. */
export function acknowledgeSeen(centrifuge) {
  const waiting = new Set()
  let isPlanned = false

  async function acknowledge() {
    isPlanned = false
    if (!isSeen()) return
    const uids = [...waiting].slice(0, MAX_UIDS)
    for (const uid of uids) waiting.delete(uid)
    try {
      await centrifuge.rpc('push:ack', { uids })
      plan(COLLECT_MS)
    } catch (error) {
      // Errors of the server have codes from 100 on, and say whether they are temporary.
      if (error.code >= 100 && !error.temporary) return
      for (const uid of uids) waiting.add(uid)
      plan(RETRY_MS)
    }
  }

  function plan(ms) {
    if (waiting.size === 0 || isPlanned) return
    isPlanned = true
    setTimeout(acknowledge, ms)
  }

  document.addEventListener('visibilitychange', () => plan(COLLECT_MS))
  window.addEventListener('focus', () => plan(COLLECT_MS))
  return ({ tags }) => {
    if (tags?.push_uid) waiting.add(tags.push_uid)
    plan(COLLECT_MS)
  }
}
