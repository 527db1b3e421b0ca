// The script of the admin web UI. All pages work without it. With it times are in the reader's zone, parts of pages are
// live, texts can be copied, and a form is submitted once.

const DAY = { month: 'short', day: 'numeric' }
const MINUTE = { hour: '2-digit', minute: '2-digit' }
const timeFormat = new Intl.DateTimeFormat(undefined, { ...DAY, ...MINUTE, second: '2-digit' })
const timeOfOtherYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const chartFormat = new Intl.DateTimeFormat(undefined, { ...DAY, ...MINUTE })

/** Shows times in the zone of the reader; those of tables keep the UTC time as hover text. */
function showLocalTimes(root) {
  const year = new Date().getFullYear()
  for (const element of root.querySelectorAll('time[datetime]')) {
    const time = new Date(element.dateTime)
    element.textContent = (time.getFullYear() === year ? timeFormat : timeOfOtherYear).format(time)
  }
  for (const text of root.querySelectorAll('.chart title, .chart .axis')) {
    text.textContent = text.textContent.replace(/(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC/, (_, day, time) =>
      chartFormat.format(new Date(`${day}T${time}Z`)),
    )
  }
}

/** Lets readers write times in their own zone: the form sends them in UTC. */
function localizeTimeFields() {
  const fields = (root) => root.querySelectorAll('input[type="datetime-local"]')
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  for (const field of fields(document)) {
    const [label] = field.labels
    label.textContent = label.textContent.replace('UTC', zone)
    const time = new Date(`${field.value}Z`)
    const shiftMs = time.getTimezoneOffset() * 60_000
    if (field.value) field.value = new Date(time - shiftMs).toISOString().slice(0, 16)
  }
  document.addEventListener('formdata', ({ target, formData }) => {
    for (const { name, value } of fields(target)) {
      if (value) formData.set(name, new Date(value).toISOString().slice(0, 16))
    }
  })
}

/** Adds a button that copies to each element with data-copy. */
function addCopyButtons(root) {
  for (const element of root.querySelectorAll('[data-copy]')) {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'copy quiet'
    button.textContent = 'Copy'
    button.addEventListener('click', async () => {
      await copy(element)
      button.textContent = 'Copied'
      setTimeout(() => {
        button.textContent = 'Copy'
      }, 1500)
    })
    element.after(button)
  }
}

async function copy(element) {
  // Browsers have no clipboard on plain HTTP. Then the text is selected for the reader.
  if (navigator.clipboard) return navigator.clipboard.writeText(element.textContent)
  getSelection().selectAllChildren(element)
}

/** Parts that came while the focus was in their element. */
const postponed = new Map()

/** Shows the parts of an event. An element with the focus is replaced later: a reader may be about to use its link. */
function showParts(parts) {
  for (const { id, html } of parts) {
    const element = document.getElementById(id)
    if (element?.contains(document.activeElement)) postponed.set(id, html)
    else if (element) replaceContent(element, html)
  }
}

/** Replaces the content of an element. The server has escaped its texts. */
function replaceContent(element, html) {
  const open = [...element.querySelectorAll('details')].map((details) => details.open)
  const scrolled = [...element.querySelectorAll('.scroll')].map((table) => table.scrollLeft)
  element.replaceChildren(new DOMParser().parseFromString(`<div>${html}</div>`, 'text/html').body.firstChild)
  for (const [index, details] of element.querySelectorAll('details').entries()) details.open = open[index] ?? false
  for (const [index, table] of element.querySelectorAll('.scroll').entries()) table.scrollLeft = scrolled[index] ?? 0
  showLocalTimes(element)
}

/** Shows postponed parts when the focus has left their elements. */
function showPostponed() {
  const parts = [...postponed].map(([id, html]) => ({ id, html }))
  postponed.clear()
  showParts(parts)
}

/** Keeps the page up to date while it is visible and not paused. */
function startLive(url) {
  const state = document.querySelector('[data-live-state]')
  const button = document.querySelector('[data-live-pause]')
  const text = document.createElement('span')
  text.className = 'live-text'
  state.append(text)
  button.hidden = false
  let source
  let isPaused = false
  const update = () => {
    const isWanted = !isPaused && !document.hidden
    if (isWanted && !source) {
      source = new EventSource(url)
      source.addEventListener('open', () => say('Live'))
      source.addEventListener('error', () => say('Connection lost, trying again'))
      source.addEventListener('message', ({ data }) => showParts(JSON.parse(data)))
    } else if (!isWanted && source) {
      source.close()
      source = undefined
      say('Paused')
    }
    button.textContent = isPaused ? 'Continue updates' : 'Pause updates'
  }
  const say = (words) => {
    text.textContent = words
    text.classList.toggle('is-live', words === 'Live')
  }
  button.addEventListener('click', () => {
    isPaused = !isPaused
    update()
  })
  document.addEventListener('visibilitychange', update)
  document.addEventListener('focusin', showPostponed)
  // A browser allows six connections to a server, so a page that is left gives its own back.
  addEventListener('pagehide', () => {
    source?.close()
    source = undefined
  })
  addEventListener('pageshow', update)
}

/** Says how many devices a push reaches while it is written, and what it lacks. */
function watchDraft(form) {
  const state = form.querySelector('[data-draft-state]')
  let timer
  let isAsking = false
  let isChanged = false
  const ask = async () => {
    isChanged = true
    // A count of millions of devices takes a while, so only one runs at a time.
    if (isAsking) return
    isAsking = true
    while (isChanged) {
      isChanged = false
      const body = new URLSearchParams(new FormData(form))
      // If the server can't be reached, the button of the form says so.
      const answer = await fetch(form.dataset.draft, { method: 'POST', body }).catch(() => undefined)
      if (answer?.ok) replaceContent(state, await answer.text())
    }
    isAsking = false
  }
  form.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(() => void ask(), 400)
  })
  void ask()
}

/** A second click must not repeat a change. */
function submitOnce() {
  document.addEventListener('submit', (event) => {
    const { target } = event
    if (target.method !== 'post' || event.defaultPrevented) return
    if (target.dataset.isSubmitted) event.preventDefault()
    target.dataset.isSubmitted = 'true'
  })
  addEventListener('pageshow', () => {
    for (const form of document.forms) delete form.dataset.isSubmitted
  })
}

showLocalTimes(document)
localizeTimeFields()
addCopyButtons(document)
submitOnce()
for (const form of document.querySelectorAll('[data-draft]')) watchDraft(form)
if (document.body.dataset.live) startLive(document.body.dataset.live)
