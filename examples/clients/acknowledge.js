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
  const unseen = new Set()
  let timer

  async function acknowledge() {
    timer = undefined
    if (unseen.size === 0 || !isSeen()) return
    const uids = [...unseen].slice(0, MAX_UIDS)
    for (const uid of uids) unseen.delete(uid)
    try {
      await centrifuge.rpc('push:ack', { uids })
      later(COLLECT_MS)
    } catch (error) {
      // Errors of the server say whether they are temporary. Without a connection the code is below 100.
      if (error.temporary !== true && error.code >= 100) return
      for (const uid of uids) unseen.add(uid)
      later(RETRY_MS)
    }
  }

  function later(ms) {
    if (unseen.size > 0) timer ??= setTimeout(acknowledge, ms)
  }

  document.addEventListener('visibilitychange', () => later(COLLECT_MS))
  window.addEventListener('focus', () => later(COLLECT_MS))
  return ({ tags }) => {
    if (tags?.push_uid) unseen.add(tags.push_uid)
    later(COLLECT_MS)
  }
}
