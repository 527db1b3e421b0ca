import * as v from 'valibot'

const text = v.optional(v.string(), '')
const Texts = v.object({ title: text, body: text, image: text })
const Alert = v.union([
  v.pipe(
    v.string(),
    v.transform((body) => ({ title: '', body })),
  ),
  v.object({ title: text, body: text }),
])
/** The places of the texts in the notifications of the four providers. */
const Shown = v.union([
  v.pipe(
    v.object({ notification: Texts }),
    v.transform(({ notification }) => notification),
  ),
  v.pipe(
    v.object({ aps: v.object({ alert: Alert }), image: text }),
    v.transform(({ aps, image }) => ({ ...aps.alert, image })),
  ),
  v.pipe(
    Texts,
    v.check(({ title, body }) => title !== '' || body !== ''),
  ),
])

/** Title and text of a notification, as far as a phone shows them by itself. Phones cut long ones. */
export function PhoneCard({ json }: { json: Buffer }) {
  const shown = v.safeParse(Shown, JSON.parse(json.toString()))
  if (!shown.success) return <p class="card faint">Shows nothing by itself: it is for the app.</p>
  const { title, body, image } = shown.output
  return (
    <div class="card">
      {title !== '' && <p class="card-title">{title}</p>}
      {body !== '' && <p>{body}</p>}
      {image !== '' && <p class="faint">{`with the image ${image}`}</p>}
    </div>
  )
}
