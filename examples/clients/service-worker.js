// Shows Web Push notifications, reports that they were delivered and clicked, and closes those that the user has read
// on another device. Its push payload is {"uid", "title", "body", "url"}, or {"read": [uid, …]}.
//
// The page gives it what it needs for calls over HTTP, after each login and each new token:
//   const { active } = await navigator.serviceWorker.ready
//   active.postMessage({ account: { url: 'https://push.example.com/push', token, deviceId } })
// And the uids that were read, from wherever it knows them:
//   active.postMessage({ read: [uid] })

const ACCOUNT = '/push-account'

/** Kept in a cache, because the browser ends service workers at any time. */
async function saveAccount(account) {
  await (await caches.open('push')).put(ACCOUNT, new Response(JSON.stringify(account)))
}

async function call(method, makeBody) {
  const saved = await (await caches.open('push')).match(ACCOUNT)
  if (!saved) return
  const { url, token, deviceId } = await saved.json()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify(makeBody(deviceId))
  // A report that fails is lost; the notification is shown nevertheless.
  await fetch(`${url}/${method}`, { method: 'POST', headers, body, keepalive: true }).catch(() => undefined)
}

function report(uid, status) {
  return call('status', (device_id) => ({ analytics_uid: uid, status, device_id }))
}

async function closeRead(uids) {
  for (const tag of uids) {
    for (const notification of await self.registration.getNotifications({ tag })) notification.close()
  }
}

self.addEventListener('message', (event) => {
  const { account, read } = event.data
  if (account) event.waitUntil(saveAccount(account))
  if (read) event.waitUntil(closeRead(read))
})

self.addEventListener('push', (event) => {
  const { uid, title, body, url, read } = event.data.json()
  if (read) return event.waitUntil(closeRead(read))
  const shown = self.registration.showNotification(title, { body, tag: uid, data: { uid, url } })
  event.waitUntil(Promise.all([shown, report(uid, 'delivered')]))
})

self.addEventListener('notificationclick', (event) => {
  const { uid, url } = event.notification.data
  event.notification.close()
  const seen = call('ack', (device_id) => ({ uids: [uid], device_id }))
  event.waitUntil(Promise.all([clients.openWindow(url), report(uid, 'interacted'), seen]))
})
