import { acknowledgeSeen } from './acknowledge.js'

const POLL_MS = 500
const user = new URLSearchParams(location.search).get('user') ?? 'ann'
const session = await (await fetch(`session?user=${encodeURIComponent(user)}`)).json()
const show = (list, text) =>
  document.getElementById(list).append(Object.assign(document.createElement('li'), { textContent: text }))
document.getElementById('user').textContent = user

const centrifuge = new Centrifuge(`${session.node.replace(/^http/, 'ws')}/connection/websocket`, {
  token: session.token,
})
const subscription = centrifuge.newSubscription(session.channel)
const acknowledge = acknowledgeSeen(centrifuge)
subscription.on('publication', (publication) => {
  const { from, text } = publication.data
  show('messages', `${from}: ${text}`)
  if (from !== user) acknowledge(publication)
})
subscription.subscribe()
centrifuge.connect()

document.getElementById('form').addEventListener('submit', (event) => {
  event.preventDefault()
  const input = document.getElementById('text')
  void fetch('messages', { method: 'POST', body: JSON.stringify({ from: user, text: input.value }) })
  input.value = ''
})

/** Stores the device of this user in centripush, through the node. */
async function register(subscription) {
  const device = { provider: 'webpush', platform: 'web', token: subscription }
  const { data } = await centrifuge.rpc('push:device_register', device)
  return data.id
}

if (session.phone) {
  await register(session.phone)
  let shown = 0
  setInterval(async () => {
    const all = await (await fetch(`phone?user=${encodeURIComponent(user)}`)).json()
    for (const text of all.slice(shown)) show('phone', text)
    shown = all.length
  }, POLL_MS)
}

if (session.vapidKey) {
  const allow = document.getElementById('allow')
  allow.hidden = false
  allow.addEventListener('click', async () => {
    if ((await Notification.requestPermission()) !== 'granted') return
    const worker = await navigator.serviceWorker.register('service-worker.js')
    const options = { userVisibleOnly: true, applicationServerKey: session.vapidKey }
    const deviceId = await register(JSON.stringify(await worker.pushManager.subscribe(options)))
    const { active } = await navigator.serviceWorker.ready
    active.postMessage({ account: { url: session.push, token: session.token, deviceId } })
    allow.hidden = true
  })
}
document.body.dataset.state = 'ready'
